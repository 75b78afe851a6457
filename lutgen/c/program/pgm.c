#include "pgm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_HEADER = 64 };

/* A number behind white space and comments; returns the byte behind it, or NULL. */
static const uint8_t *number(const uint8_t *at, const uint8_t *end, uint32_t *value)
{
    int digits = 0;

    while (at < end && (*at == ' ' || (*at >= '\t' && *at <= '\r') || *at == '#')) {
        if (*at == '#') {
            while (at < end && *at != '\n' && *at != '\r') {
                at++;
            }
        } else {
            at++;
        }
    }
    for (*value = 0; at < end && *at >= '0' && *at <= '9' && digits < 6; at++, digits++) {
        *value = *value * 10 + (uint32_t)(*at - '0');
    }
    return digits ? at : NULL;
}

/* The header of one image; returns its first sample, or NULL. */
static const uint8_t *header(const uint8_t *at, const uint8_t *end, struct pgm *image)
{
    if (end - at < 2 || at[0] != 'P' || at[1] != '5' ||
        !(at = number(at + 2, end, &image->width)) ||
        !(at = number(at, end, &image->height)) || !(at = number(at, end, &image->top))) {
        return NULL;
    }
    return at < end && image->width && image->height && image->width <= 65535 &&
                   image->height <= 65535 && image->top && image->top <= 65535
               ? at + 1
               : NULL;
}

int pgm_read(const uint8_t *data, size_t bytes, struct pgm *images)
{
    const uint8_t *const end = data + bytes;
    const uint8_t *at = header(data, end, images);
    size_t wide;
    size_t size;
    size_t most;
    uint8_t *out;

    if (!at) {
        return 0;
    }
    wide = images->top > 255 ? 2 : 1;
    if ((uint64_t)images->width * images->height > (size_t)(end - at) / wide) {
        return 0;
    }
    size = (size_t)images->width * images->height * wide;
    most = bytes / size;
    images->images = 0;
    images->samples = out = malloc(most * size);
    while (out && at) {
        struct pgm next;

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
            next.top != images->top) {
            break;
        }
    }
    free(images->samples);
    return 0;
}

uint8_t *pgm_write(const struct pgm *images, size_t *bytes)
{
    const size_t wide = images->top > 255 ? 2 : 1;
    const size_t count = (size_t)images->width * images->height;
    const uint8_t *in = images->samples;
    char text[LONGEST_HEADER];
    const int length = snprintf(text, sizeof text, "P5\n%lu %lu\n%lu\n",
                                (unsigned long)images->width, (unsigned long)images->height,
                                (unsigned long)images->top);
    const size_t each = (size_t)length + count * wide;
    uint8_t *const file = each <= SIZE_MAX / images->images ? malloc(each * images->images) : NULL;
    uint8_t *at = file;

    *bytes = each * images->images;
    for (uint32_t k = 0; file && k < images->images; k++) {
        memcpy(at, text, (size_t)length);
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
