/* Raw PGM, PPM and PAM of 8 and 16 bits; a file may hold many images of one size. */
#ifndef PNM_H
#define PNM_H

#include <stddef.h>
#include <stdint.h>

struct pnm {
    uint32_t width;
    uint32_t height;
    uint32_t channels; /* 1: PGM, 3: PPM, 2 and 4, with alpha: PAM */
    uint32_t images;
    uint32_t top;  /* greatest value, 1 to 65,535 */
    void *samples; /* uint8_t if top is below 256, else uint16_t; from malloc */
};

/* Read all images of a file in memory; returns 0 if it is none, or memory is short. */
int pnm_read(const uint8_t *data, size_t bytes, struct pnm *images);

/* Make a file of images; returns it, from malloc, or NULL. */
uint8_t *pnm_write(const struct pnm *images, size_t *bytes);

#endif
