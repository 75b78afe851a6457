#include "tile_planes.h"

#include <string.h>

#include "arithmetic.h"

void lutgen_place_planes(const struct lutgen_tile_model *model, const struct lutgen_frame *frame,
                         struct lutgen_tile_planes *planes)
{
    uint32_t width = (uint32_t)lesser((int32_t)frame->tile_width, (int32_t)frame->width);
    uint32_t height = (uint32_t)lesser((int32_t)frame->strip_height, (int32_t)frame->height);

    planes->levels = model->levels + 1u;
    planes->bytes = 0;
    for (uint32_t level = 0; level < planes->levels; level++) {
        planes->stride[level] = width + 2u * model->border;
        planes->first[level] =
            planes->bytes + (size_t)model->border * planes->stride[level] + model->border;
        planes->bytes += (size_t)planes->stride[level] * (height + 2u * model->border);
        width = half_of(width);
        height = half_of(height);
    }
}

void lutgen_begin_tile(const struct lutgen_tile_planes *planes, uint32_t width, uint32_t height,
                       struct lutgen_tile *tile)
{
    for (uint32_t level = 0; level < planes->levels; level++) {
        tile->width[level] = width;
        tile->height[level] = height;
        width = half_of(width);
        height = half_of(height);
    }
    memset(tile->pixels, 0, planes->bytes);
    if (planes->levels > 1) {
        memset(tile->priors, 0, planes->bytes);
    }
}

void lutgen_pool_tile(const struct lutgen_tile_planes *planes, const struct lutgen_tile *tile)
{
    for (uint32_t level = 1; level < planes->levels; level++) {
        const uint8_t *const from = tile->pixels + planes->first[level - 1];
        const uint32_t stride = planes->stride[level - 1];

        for (uint32_t y = 0; y < tile->height[level]; y++) {
            uint8_t *const to = tile->pixels + planes->first[level] + y * planes->stride[level];
            const uint8_t *const upper = from + (size_t)2 * y * stride;
            /* Where a side is odd its last row or column counts twice. */
            const uint8_t *const lower =
                2 * y + 1 < tile->height[level - 1] ? upper + stride : upper;

            for (uint32_t x = 0; x < tile->width[level]; x++) {
                const uint32_t left = 2 * x;
                const uint32_t right = left + (left + 1 < tile->width[level - 1]);
                const uint32_t sum = (uint32_t)upper[left] + upper[right] + lower[left] +
                                     lower[right];

                to[x] = (uint8_t)((sum + 2) >> 2);
            }
        }
    }
}

void lutgen_steps(const int8_t (*offset)[2], uint32_t features, uint32_t stride, ptrdiff_t plane,
                  int32_t *step)
{
    for (uint32_t f = 0; f < features; f++) {
        step[f] = (int32_t)plane + offset[f][0] * (int32_t)stride + offset[f][1];
    }
}
