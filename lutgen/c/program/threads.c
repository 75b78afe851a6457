#if defined(__unix__) || defined(__APPLE__)
#define _POSIX_C_SOURCE 200809L
#define HAS_THREADS
#endif

#include "threads.h"

#include <stdlib.h>
#include <string.h>

#ifdef HAS_THREADS
#include <pthread.h>
#endif

/* What threads share. */
struct shared {
    const struct lutgen_model *model;
    const struct lutgen_frame *frame;
    uint32_t strips;
    uint32_t next; /* the strip that nobody codes yet */
    uint32_t done; /* strips that have been coded */
#ifdef HAS_THREADS
    pthread_mutex_t lock;
#endif
    void (*code)(struct shared *all, uint32_t number, void *workspace, size_t bytes);
    enum lutgen_status *status; /* of each strip */
    /* To encode: */
    const uint8_t *samples;
    uint8_t *parts; /* of lutgen_strip_bound() bytes */
    uint32_t *sizes;
    /* To decode: */
    const struct lutgen_reader *reader;
    const struct lutgen_strip *strip;
    uint8_t *into;
};

/* Add to a number that threads share; returns what it was. */
static uint32_t added(struct shared *all, uint32_t *number, uint32_t more)
{
    uint32_t before;

#ifdef HAS_THREADS
    pthread_mutex_lock(&all->lock);
#endif
    before = *number;
    *number += more;
#ifdef HAS_THREADS
    pthread_mutex_unlock(&all->lock);
#else
    (void)all;
#endif
    return before;
}

/* Code strips until none is left; without memory, leave them to the other threads. */
static void *code_strips(void *user)
{
    struct shared *const all = user;
    const size_t bytes = lutgen_workspace_bytes(all->model, all->frame);
    void *const workspace = malloc(bytes ? bytes : 1);
    uint32_t number;

    while (workspace && (number = added(all, &all->next, 1)) < all->strips) {
        all->code(all, number, workspace, bytes);
        (void)added(all, &all->done, 1);
    }
    free(workspace);
    return NULL;
}

/* Code all strips; returns whether there was memory to do so. */
static int share_out(struct shared *all, unsigned threads)
{
#ifdef HAS_THREADS
    const unsigned most = threads > all->strips ? all->strips : threads; /* this one is one of them */
    pthread_t *thread = malloc((most ? most : 1) * sizeof *thread);
    unsigned begun = 0;

    pthread_mutex_init(&all->lock, NULL);
    while (thread && begun + 1 < most &&
           pthread_create(&thread[begun], NULL, code_strips, all) == 0) {
        begun++;
    }
    code_strips(all);
    while (begun > 0) {
        pthread_join(thread[--begun], NULL);
    }
    pthread_mutex_destroy(&all->lock);
    free(thread);
#else
    (void)threads;
    code_strips(all);
#endif
    return all->done == all->strips;
}

/* Where a strip's first sample is among those of all images. */
static size_t first_byte(const struct lutgen_frame *frame, const struct lutgen_strip *strip)
{
    const size_t row = (size_t)strip->image * lutgen_image_height(frame) + strip->top;

    return (row * lutgen_row_samples(frame) + (size_t)strip->left * lutgen_image_channels(frame)) *
           lutgen_sample_bytes(frame);
}

static void encode_strip(struct shared *all, uint32_t number, void *workspace, size_t bytes)
{
    const size_t bound = lutgen_strip_bound(all->frame);
    struct lutgen_strip strip;
    size_t used = 0;

    lutgen_place_strip(all->frame, number, &strip);
    all->status[number] = lutgen_encode_strip(
        all->model, all->frame, number, all->samples + first_byte(all->frame, &strip),
        lutgen_row_samples(all->frame), all->parts + number * bound, bound, &used, workspace, bytes);
    all->sizes[number] = (uint32_t)used;
}

/* Put header, strips and index together. */
static enum lutgen_status put_together(const struct shared *all, uint8_t *file, size_t file_bytes,
                                       size_t *used)
{
    const size_t header = lutgen_header_bytes(all->frame);
    const size_t bound = lutgen_strip_bound(all->frame);
    size_t bytes = header + lutgen_index_bytes(all->frame);
    uint8_t *at = file + header;

    for (uint32_t k = 0; k < all->strips; k++) {
        if (all->status[k] != LUTGEN_SUCCESS) {
            return all->status[k];
        }
        bytes += all->sizes[k];
    }
    if (bytes > file_bytes) {
        return LUTGEN_SMALL_OUTPUT;
    }
    lutgen_write_header(all->frame, file);
    for (uint32_t k = 0; k < all->strips; k++) {
        memcpy(at, all->parts + k * bound, all->sizes[k]);
        at += all->sizes[k];
    }
    lutgen_write_index(all->frame, all->sizes, at);
    *used = bytes;
    return LUTGEN_SUCCESS;
}

enum lutgen_status encode_by_threads(const struct lutgen_model *model,
                                     const struct lutgen_frame *frame, const void *samples,
                                     uint8_t *file, size_t file_bytes, size_t *used,
                                     unsigned threads)
{
    struct shared all = {0};
    struct lutgen_frame own = *frame;
    enum lutgen_status status = lutgen_check_frame(frame);

    if (status != LUTGEN_SUCCESS) {
        return status;
    }
    memcpy(own.model_hash, lutgen_model_hash(model), sizeof own.model_hash);
    all.model = model;
    all.frame = &own;
    all.strips = lutgen_strips(frame);
    all.code = encode_strip;
    all.samples = samples;
    all.parts = malloc(all.strips * lutgen_strip_bound(frame));
    all.sizes = malloc(all.strips * sizeof *all.sizes);
    all.status = malloc(all.strips * sizeof *all.status);
    status = LUTGEN_SMALL_WORKSPACE;
    if (all.parts && all.sizes && all.status && share_out(&all, threads)) {
        status = put_together(&all, file, file_bytes, used);
    }
    free(all.parts);
    free(all.sizes);
    free(all.status);
    return status;
}

static void decode_strip(struct shared *all, uint32_t number, void *workspace, size_t bytes)
{
    const struct lutgen_strip *const strip = &all->strip[number];

    all->status[number] = lutgen_decode_strip(
        all->model, all->reader, strip, all->into + first_byte(all->frame, strip),
        lutgen_row_samples(all->frame), workspace, bytes);
}

enum lutgen_status decode_by_threads(const struct lutgen_model *model, const uint8_t *file,
                                     size_t bytes, void *samples, size_t samples_bytes,
                                     lutgen_damage *damage, void *user, unsigned threads)
{
    struct shared all = {0};
    struct lutgen_reader reader;
    struct lutgen_strip *strips;
    enum lutgen_status status = lutgen_open(&reader, model, file, bytes);

    if (status != LUTGEN_SUCCESS) {
        return status;
    }
    if (samples_bytes < lutgen_decoded_bytes(&reader.frame)) {
        return LUTGEN_SMALL_OUTPUT;
    }
    all.model = model;
    all.frame = &reader.frame;
    all.strips = lutgen_strips(&reader.frame);
    all.code = decode_strip;
    all.reader = &reader;
    all.into = samples;
    all.status = malloc(all.strips * sizeof *all.status);
    all.strip = strips = malloc(all.strips * sizeof *strips);
    if (!all.status || !strips) {
        all.strips = 0;
    }
    for (uint32_t k = 0; k < all.strips; k++) {
        (void)lutgen_next_strip(&reader, &strips[k]);
    }
    if (all.strips == 0 || !share_out(&all, threads)) {
        status = LUTGEN_SMALL_WORKSPACE;
        all.strips = 0;
    }
    for (uint32_t k = 0; k < all.strips; k++) {
        if (all.status[k] != LUTGEN_SUCCESS) {
            status = LUTGEN_DAMAGED_STRIPS;
            if (damage) {
                damage(user, &strips[k], all.status[k]);
            }
        }
    }
    free(all.status);
    free(strips);
    return status;
}
