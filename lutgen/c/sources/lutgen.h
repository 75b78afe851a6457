/* Decoder and encoder of .lgc files.  Version 2 of the format: gray and colour images, with or
 * without alpha, and colour filter arrays, of 8 to 16 bits, coded with a model of lutgen's profile
 * "predictive".  Version 1: gray images of 8 bits, cut into tiles, coded with a model of another
 * profile, as "raster-table" and "gic-dlc".  See docs/format.md and docs/c.md of lutgen.
 *
 * Nothing here allocates, keeps state between calls or calls the operating system: the caller gives
 * all memory, and calls from several threads need only workspaces of their own.  A file has strips,
 * rows of an image that are coded on their own, in version 1 a row of tiles; memory and threads go by
 * strips.
 *
 * Samples are uint8_t if depth + shift is 8, else uint16_t in the machine's byte order; pointers to
 * them must be aligned to their size.  Channels are interleaved: red, green, blue, alpha of a pixel
 * follow one another.  A stride is in samples.
 */
#ifndef LUTGEN_H
#define LUTGEN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A program that was written for version X.Y works with all X.Z of Z >= Y. */
#define LUTGEN_API_MAJOR 4
#define LUTGEN_API_MINOR 0

/* LUTGEN_API_MAJOR of the header that the library was compiled with. */
int lutgen_api_major(void);

/* Bytes of the longest header, all that `lutgen_read_frame` looks at. */
#define LUTGEN_HEADER_BYTES 29u

enum lutgen_status {
    LUTGEN_SUCCESS = 0,
    LUTGEN_END,             /* there is no further strip */
    LUTGEN_BAD_ARGUMENT,    /* a field of the frame, or a sample, is out of its range */
    LUTGEN_SMALL_WORKSPACE, /* see lutgen_workspace_bytes */
    LUTGEN_SMALL_OUTPUT,    /* see lutgen_encoded_bound, lutgen_decoded_bytes */
    LUTGEN_NO_LGC,          /* the file does not begin with LGC */
    LUTGEN_OTHER_VERSION,   /* the file is of a version that is not known, or not the model's */
    LUTGEN_OTHER_MODEL,     /* the file was written with another model */
    LUTGEN_BAD_HEADER,      /* a field of the header is out of its range */
    LUTGEN_CUT_SHORT,       /* bytes are missing */
    LUTGEN_BAD_LENGTH,      /* the length of a payload is out of its range */
    LUTGEN_BAD_CHECKSUM,    /* the CRC-32 of a strip is wrong */
    LUTGEN_BAD_PAYLOAD,     /* a residual is out of its range */
    LUTGEN_BAD_END,         /* a strip ends before or behind the next one */
    LUTGEN_DAMAGED_STRIPS,  /* some strips of a file are damaged, the others are decoded */
    LUTGEN_OTHER_PIXELS     /* the model does not code such images, see lutgen_pixels */
};

/* What stands for a status in a message: a clause without capital letter and full stop. */
const char *lutgen_status_text(enum lutgen_status status);

/* A codec model; `lutgen c` writes each with its name: lutgen_photo, ... */
struct lutgen_model;

/* First 8 bytes of a model's SHA-256, which files written with it have in their headers. */
const uint8_t *lutgen_model_hash(const struct lutgen_model *model);

/* What images are: the channels of their pixels, or the pattern of a colour filter array, a square
 * of four samples row by row.  Models of gray code gray alone; those of colour all up to LUTGEN_RGBA,
 * those of colour filter arrays these alone. */
enum lutgen_pixels {
    LUTGEN_GRAY = 1,
    LUTGEN_GRAY_ALPHA,
    LUTGEN_RGB,
    LUTGEN_RGBA,
    LUTGEN_RGGB = 8,
    LUTGEN_BGGR,
    LUTGEN_GRBG,
    LUTGEN_GBRG
};

/* Whether a model codes such images. */
int lutgen_model_takes(const struct lutgen_model *model, enum lutgen_pixels pixels);

/* What a header says.  Fields that a version does not have are 0, but for depth 8 and one channel
 * of version 1.  Of colour filter arrays all sizes count squares of four samples: width and
 * height are half of the image's, see lutgen_image_width. */
struct lutgen_frame {
    uint8_t model_hash[8]; /* first bytes of the model's SHA-256 */
    uint32_t version;      /* of the format, 1 or 2 */
    uint32_t width;        /* of an image, 1 to 65,535 pixels, in version 1 to 16,384 */
    uint32_t height;
    uint32_t channels;     /* of a pixel, 1 to 4; 4 of a colour filter array */
    uint32_t order;        /* of the planes: 0 to 5 of colour, see lutgen_best_order; 8 to 11: the
                              pattern of a colour filter array, as in lutgen_pixels; else 0 */
    uint32_t depth;        /* bits of a sample that are coded, 8 to 16 */
    uint32_t shift;        /* zero bits below them, 0 to 16 - depth */
    uint32_t max_error;    /* greatest error of a sample before the shift ("near"), 0: lossless */
    uint32_t strip_height; /* rows of a strip, 1 to height; in version 1 of a tile, 1 to 64 */
    uint32_t tile_width;   /* columns of a tile, in version 1 to 64; in version 2 0, too: each four
                              rows share a payload */
    uint32_t levels;       /* version 1: those of the model above the image, 0 to 3 */
    uint32_t coder;        /* 0 for rANS, 8 to 12 for tANS with 2^coder states */
    uint32_t images;       /* images of the file, one after the other */
    uint32_t slabs;        /* parts from left to right that images are cut into, each coded on its own:
                              1; in version 2 without tiles also 2, 4 or 8 */
};

/* Fill in a frame for lossless coding, cut as lutgen cuts images unless told.  Width and height are
 * those of the image; odd ones of a colour filter array give a frame that is refused, as does any
 * depth but 8 with a model that codes tiles. */
void lutgen_default_frame(struct lutgen_frame *frame, const struct lutgen_model *model,
                          enum lutgen_pixels pixels, uint32_t width, uint32_t height,
                          uint32_t depth, uint32_t shift, uint32_t images);

/* The order of the planes of least residuals, for the frame's `order`, from its first image; lutgen
 * takes it unless told.  Of frames of gray or of a colour filter array it is what they have. */
uint32_t lutgen_best_order(const struct lutgen_frame *frame, const void *samples, size_t stride);

/* Depth and shift of the bits that samples of type uint16_t use.  `declared` is how many bits they
 * are said to have, 9 to 16; if 16, those of the greatest sample count, but at least 9, as samples
 * of 8 bits are of type uint8_t. */
void lutgen_significant_bits(const uint16_t *samples, size_t count, uint32_t declared,
                             uint32_t *depth, uint32_t *shift);

/* Read a header.  `bytes` are those of the whole file, of which the first 29 are looked at, or all if it has fewer; a file
 * that is too short for what its header says is refused, so that memory for its pixels may be
 * allocated afterwards: at most 2,048 samples for each byte. */
enum lutgen_status lutgen_read_frame(const uint8_t *file, size_t bytes,
                                     struct lutgen_frame *frame);

/* LUTGEN_SUCCESS if all fields are in their ranges, else LUTGEN_BAD_ARGUMENT. */
enum lutgen_status lutgen_check_frame(const struct lutgen_frame *frame);

/* Of frames that have been checked or read.  Numbers of bytes that a size_t cannot hold are
 * SIZE_MAX. */
uint32_t lutgen_strips(const struct lutgen_frame *frame);
uint32_t lutgen_image_width(const struct lutgen_frame *frame);
uint32_t lutgen_image_height(const struct lutgen_frame *frame);
uint32_t lutgen_image_channels(const struct lutgen_frame *frame); /* 1 of colour filter arrays */
size_t lutgen_row_samples(const struct lutgen_frame *frame);      /* width times channels */
size_t lutgen_sample_bytes(const struct lutgen_frame *frame);  /* 1 or 2 */
size_t lutgen_decoded_bytes(const struct lutgen_frame *frame); /* all images */
size_t lutgen_encoded_bound(const struct lutgen_frame *frame); /* no file is larger */
size_t lutgen_strip_bound(const struct lutgen_frame *frame);   /* no strip is larger */
size_t lutgen_header_bytes(const struct lutgen_frame *frame);  /* 24 or 29 */

/* Memory that a call needs to decode or encode a strip, of any alignment; 0 if the model does not
 * code such images. */
size_t lutgen_workspace_bytes(const struct lutgen_model *model, const struct lutgen_frame *frame);

/* Whole files in memory. */

struct lutgen_strip;

/* Told of each damaged strip; `user` is what was given with it. */
typedef void lutgen_damage(void *user, const struct lutgen_strip *strip,
                           enum lutgen_status status);

/* Decode all images of a file into `samples`, lutgen_decoded_bytes() of them, without gaps.
 *
 * Returns LUTGEN_DAMAGED_STRIPS if some strips are damaged: their samples are 0 and `damage`, which
 * may be NULL, has been told of each.  With any other status but LUTGEN_SUCCESS nothing has been
 * decoded. */
enum lutgen_status lutgen_decode(const struct lutgen_model *model, const uint8_t *file,
                                 size_t bytes, void *samples, size_t samples_bytes,
                                 lutgen_damage *damage, void *user, void *workspace,
                                 size_t workspace_bytes);

/* Encode images, without gaps, into `file`, and say in `*used` how many bytes it has. */
enum lutgen_status lutgen_encode(const struct lutgen_model *model,
                                 const struct lutgen_frame *frame, const void *samples,
                                 uint8_t *file, size_t file_bytes, size_t *used, void *workspace,
                                 size_t workspace_bytes);

/* Strip by strip: for threads, and where an image is larger than memory. */

struct lutgen_strip {
    uint32_t number; /* in the file */
    uint32_t image;
    uint32_t top;    /* first row of the image */
    uint32_t rows;
    uint32_t left;   /* first column of the image: 0 but in frames of several slabs */
    uint32_t columns;
    size_t offset;   /* in the file: its first byte, ... */
    size_t limit;    /* ... and the one behind what it may reach to */
    int ends;        /* whether it must reach there */
};

/* A walk over the strips of a file; its fields are nobody's business. */
struct lutgen_reader {
    const uint8_t *file;
    struct lutgen_frame frame;
    size_t index; /* where the index begins, or the file ends */
    size_t next;  /* where the next strip begins */
    uint32_t number;
    int indexed;  /* whether the index is sound */
};

/* Begin to read a file that stays where it is in memory. */
enum lutgen_status lutgen_open(struct lutgen_reader *reader, const struct lutgen_model *model,
                               const uint8_t *file, size_t bytes);

/* Fill in the next strip, or return LUTGEN_END.  Where the index is damaged, all behind a damaged
 * strip are damaged. */
enum lutgen_status lutgen_next_strip(struct lutgen_reader *reader, struct lutgen_strip *strip);

/* Decode a strip into `rows` rows, each `stride` samples behind the one before; damaged ones become 0.
 * `samples` is where the strip's first sample goes, that of its column `left`.  Strips of one
 * reader may be decoded at the same time. */
enum lutgen_status lutgen_decode_strip(const struct lutgen_model *model,
                                       const struct lutgen_reader *reader,
                                       const struct lutgen_strip *strip, void *samples,
                                       size_t stride, void *workspace, size_t workspace_bytes);

/* Write the header, lutgen_header_bytes() of them; the strips follow, then the index. */
enum lutgen_status lutgen_write_header(const struct lutgen_frame *frame, uint8_t *header);

/* Fill in where in its image strip `number` of a frame is, but for its bytes in a file. */
void lutgen_place_strip(const struct lutgen_frame *frame, uint32_t number,
                        struct lutgen_strip *strip);

/* Encode strip `number`, whose first sample is at `samples`, into `out`, and say in `*used` how many bytes
 * it has. */
enum lutgen_status lutgen_encode_strip(const struct lutgen_model *model,
                                       const struct lutgen_frame *frame, uint32_t number,
                                       const void *samples, size_t stride, uint8_t *out,
                                       size_t out_bytes, size_t *used, void *workspace,
                                       size_t workspace_bytes);

/* Bytes of the index, 0 of a single strip and in version 1, and the index itself from the bytes of all strips. */
size_t lutgen_index_bytes(const struct lutgen_frame *frame);
void lutgen_write_index(const struct lutgen_frame *frame, const uint32_t *strip_bytes,
                        uint8_t *out);

#ifdef __cplusplus
}
#endif

#endif
