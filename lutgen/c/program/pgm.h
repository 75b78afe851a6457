/* Raw PGM of 8 and 16 bits; a file may hold many images of one size. */
#ifndef PGM_H
#define PGM_H

#include <stddef.h>
#include <stdint.h>

struct pgm {
    uint32_t width;
    uint32_t height;
    uint32_t images;
    uint32_t top;  /* greatest value, 1 to 65,535 */
    void *samples; /* uint8_t if top is below 256, else uint16_t; from malloc */
};

/* Read all images of a file in memory; returns 0 if it is none, or memory is short. */
int pgm_read(const uint8_t *data, size_t bytes, struct pgm *images);

/* Make a file of images; returns it, from malloc, or NULL. */
uint8_t *pgm_write(const struct pgm *images, size_t *bytes);

#endif
