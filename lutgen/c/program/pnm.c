#include "pnm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_HEADER = 128, MOST_CHANNELS = 4, MOST = 65535 };

/* The byte behind white space and comments. */
static const uint8_t *skip(const uint8_t *at, const uint8_t *end)
{
    while (at < end && (*at == ' ' || (*at >= '\t' && *at <= '\r') || *at == '#')) {
        if (*at == '#') {
            while (at < end && *at != '\n' && *at != '\r') {
                at++;
            }
        } else {
            at++;
        }
    }
    return at;
}

/* A number behind white space and comments; returns the byte behind it, or NULL. */
static const uint8_t *number(const uint8_t *at, const uint8_t *end, uint32_t *value)
{
    int digits = 0;

    at = skip(at, end);
    for (*value = 0; at < end && *at >= '0' && *at <= '9' && digits < 6; at++, digits++) {
        *value = *value * 10 + (uint32_t)(*at - '0');
    }
    return digits ? at : NULL;
}

/* Whether a word stands at a place. */
static int is_word(const uint8_t *at, const uint8_t *end, const char *word)
{
    const size_t length = strlen(word);

    return (size_t)(end - at) > length && memcmp(at, word, length) == 0 && at[length] <= ' ';
}

/* The lines of a PAM's header behind P7; returns the last byte of it, or NULL. */
static const uint8_t *pam_header(const uint8_t *at, const uint8_t *end, struct pnm *image)
{
    for (at = skip(at, end); at && !is_word(at, end, "ENDHDR"); at = at ? skip(at, end) : NULL) {
        if (is_word(at, end, "WIDTH")) {
            at = number(at + 5, end, &image->width);
        } else if (is_word(at, end, "HEIGHT")) {
            at = number(at + 6, end, &image->height);
        } else if (is_word(at, end, "DEPTH")) {
            at = number(at + 5, end, &image->channels);
        } else if (is_word(at, end, "MAXVAL")) {
            at = number(at + 6, end, &image->top);
        } else if (is_word(at, end, "TUPLTYPE")) { /* the channels say enough */
            while (at < end && *at != '\n') {
                at++;
            }
        } else {
            return NULL;
        }
    }
    return at ? at + 6 : NULL;
}

/* The header of one image; returns its first sample, or NULL. */
static const uint8_t *header(const uint8_t *at, const uint8_t *end, struct pnm *image)
{
    memset(image, 0, sizeof *image);
    if (is_word(at, end, "P7")) {
        at = pam_header(at + 2, end, image);
    } else if (is_word(at, end, "P5") || is_word(at, end, "P6")) {
        image->channels = at[1] == '6' ? 3 : 1;
        at = number(at + 2, end, &image->width);
        at = at ? number(at, end, &image->height) : NULL;
        at = at ? number(at, end, &image->top) : NULL;
    } else {
        return NULL;
    }
    return at && at < end && image->width && image->height && image->width <= MOST &&
                   image->height <= MOST && image->top && image->top <= MOST &&
                   image->channels && image->channels <= MOST_CHANNELS
               ? at + 1
               : NULL;
}

static size_t sample_bytes(const struct pnm *images)
{
    return images->top > 255 ? 2 : 1;
}

int pnm_read(const uint8_t *data, size_t bytes, struct pnm *images)
{
    const uint8_t *const end = data + bytes;
    const uint8_t *at = header(data, end, images);
    size_t wide;
    size_t size;
    uint8_t *out;

    if (!at) {
        return 0;
    }
    wide = sample_bytes(images);
    if ((uint64_t)images->width * images->height * images->channels > (size_t)(end - at) / wide) {
        return 0;
    }
    size = (size_t)images->width * images->height * images->channels * wide;
    images->images = 0;
    images->samples = out = malloc(bytes / size * size);
    while (out && at) {
        struct pnm next;

        if ((size_t)(end - at) < size) {
            break;
        }
        for (size_t k = 0; k < size; k += wide) {
            if (wide == 2) {
                const uint16_t value = (uint16_t)(at[k] << 8 | at[k + 1]);

                memcpy(out + k, &value, sizeof value);
            } else {
                out[k] = at[k];
            }
        }
        out += size;
        images->images++;
        at += size;
        if (at == end) {
            return 1;
        }
        at = header(at, end, &next);
        if (!at || next.width != images->width || next.height != images->height ||
            next.channels != images->channels || next.top != images->top) {
            break;
        }
    }
    free(images->samples);
    return 0;
}

/* The header of each image; returns its length. */
static size_t write_header(const struct pnm *images, char text[LONGEST_HEADER])
{
    const unsigned long width = images->width;
    const unsigned long height = images->height;
    const unsigned long top = images->top;
    const int color = images->channels > 2;
    int length;

    if (images->channels % 2) {
        length = snprintf(text, LONGEST_HEADER, "P%d\n%lu %lu\n%lu\n", color ? 6 : 5, width, height,
                          top);
    } else {
        length = snprintf(text, LONGEST_HEADER,
                          "P7\nWIDTH %lu\nHEIGHT %lu\nDEPTH %d\nMAXVAL %lu\nTUPLTYPE %s_ALPHA\n"
                          "ENDHDR\n",
                          width, height, color ? 4 : 2, top, color ? "RGB" : "GRAYSCALE");
    }
    return (size_t)length;
}

uint8_t *pnm_write(const struct pnm *images, size_t *bytes)
{
    const size_t wide = sample_bytes(images);
    const size_t count = (size_t)images->width * images->height * images->channels;
    const uint8_t *in = images->samples;
    char text[LONGEST_HEADER];
    const size_t length = write_header(images, text);
    const size_t each = length + count * wide;
    uint8_t *const file = each <= SIZE_MAX / images->images ? malloc(each * images->images) : NULL;
    uint8_t *at = file;

    *bytes = each * images->images;
    for (uint32_t k = 0; file && k < images->images; k++) {
        memcpy(at, text, length);
        at += length;
        for (size_t n = 0; n < count; n++, at += wide, in += wide) {
            if (wide == 2) {
                uint16_t value;

                memcpy(&value, in, sizeof value);
                at[0] = (uint8_t)(value >> 8);
                at[1] = (uint8_t)(value & 255u);
            } else {
                *at = *in;
            }
        }
    }
    return file;
}
