#include "pixels.h"

#include <stdlib.h>

/* Adds one to four rows of bytes to sums, or begins with them: several at once, so that sums are read and written less
 * often. */
static inline void add_n(const uint8_t *restrict row, ptrdiff_t stride, const int rows, const int begin,
                         uint16_t *restrict sums, size_t bytes) {
    const uint8_t *b = row + (rows > 1) * stride, *c = b + (rows > 2) * stride, *d = c + (rows > 3) * stride;
    for (size_t i = 0; i < bytes; i++)
        sums[i] = (uint16_t)((begin ? 0 : sums[i]) + row[i] + (rows > 1 ? b[i] : 0) + (rows > 2 ? c[i] : 0) +
                             (rows > 3 ? d[i] : 0));
}

/* With constants, of which the compiler makes a loop each. */
static inline void add(const uint8_t *row, ptrdiff_t stride, int rows, const int begin, uint16_t *sums, size_t bytes) {
    if (rows == 1)
        add_n(row, stride, 1, begin, sums, bytes);
    else if (rows == 2)
        add_n(row, stride, 2, begin, sums, bytes);
    else if (rows == 3)
        add_n(row, stride, 3, begin, sums, bytes);
    else
        add_n(row, stride, 4, begin, sums, bytes);
}

/* The sums of `rows` rows of bytes. */
static void add_rows(const uint8_t *row, ptrdiff_t stride, int rows, uint16_t *sums, size_t bytes) {
    add(row, stride, rows, 1, sums, bytes);
    for (int done = 4; done < rows; done += 4)
        add(row + done * stride, stride, rows - done, 0, sums, bytes);
}

/* Pillow multiplies by the reciprocal in 24 bits, cut off, and so must this. */
typedef struct {
    uint32_t half, reciprocal;
} Divisor;

static inline Divisor divisor(int pixels) { return (Divisor){(uint32_t)pixels / 2, (1u << 24) / (uint32_t)pixels}; }

static inline uint8_t divide(uint32_t sum, Divisor by) { return (uint8_t)(((sum + by.half) * by.reciprocal) >> 24); }

/* The means of `blocks` blocks, of across pixels of sums each. steps: from pixel to pixel, of sums and of the target. */
static inline void means(const uint16_t *restrict sums, int sums_step, uint8_t *restrict target, int target_step,
                         int blocks, const int across, const int channels, Divisor by) {
    for (int i = 0; i < blocks; i++, target += target_step) {
        uint32_t total[4] = {0, 0, 0, 0};
        for (int k = 0; k < across; k++, sums += sums_step)
            for (int c = 0; c < channels; c++)
                total[c] += sums[c];
        for (int c = 0; c < channels; c++)
            target[c] = divide(total[c], by);
    }
}

/* The usual factors and layouts are constants, for which the compiler unrolls the loops. */
static inline void usual_means(const uint16_t *sums, const int step, uint8_t *target, int target_step, int blocks,
                               int across, const int channels, Divisor by) {
    if (across == 2)
        means(sums, step, target, target_step, blocks, 2, channels, by);
    else if (across == 3)
        means(sums, step, target, target_step, blocks, 3, channels, by);
    else if (across == 4)
        means(sums, step, target, target_step, blocks, 4, channels, by);
    else
        means(sums, step, target, target_step, blocks, across, channels, by);
}

static void row_means(const uint16_t *sums, int step, uint8_t *target, int target_step, int blocks, int across,
                      int channels, Divisor by) {
    if (channels == 3 && step == 3)
        usual_means(sums, 3, target, target_step, blocks, across, 3, by);
    else if (channels == 4 && step == 4)
        usual_means(sums, 4, target, target_step, blocks, across, 4, by);
    else if (channels == 1)
        usual_means(sums, step, target, target_step, blocks, across, 1, by);
    else
        means(sums, step, target, target_step, blocks, across, channels, by);
}

int block_means(Pixels source, Pixels target, int across, int down) {
    const int whole = source.width / across, rest = source.width % across, step = source.step;
    const size_t bytes = (size_t)(source.width - 1) * (size_t)step + (size_t)source.channels; /* none beyond the last */
    uint16_t *sums = malloc(bytes * sizeof *sums);
    if (!sums)
        return -1;
    for (int y = 0; y < target.height; y++) {
        const int left = source.height - y * down, rows = left < down ? left : down;
        uint8_t *to = target.first + y * target.stride;
        add_rows(source.first + (ptrdiff_t)y * down * source.stride, source.stride, rows, sums, bytes);
        row_means(sums, step, to, target.step, whole, across, source.channels, divisor(across * rows));
        if (rest)
            means(sums + (size_t)whole * across * step, step, to + (ptrdiff_t)whole * target.step, target.step, 1, rest,
                  source.channels, divisor(rest * rows));
    }
    free(sums);
    return 0;
}
