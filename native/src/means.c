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

/* The means of `blocks` blocks of RGB, of across sums each. */
static inline void rgb_means(const uint16_t *restrict sums, uint8_t *restrict target, int blocks, const int across,
                             Divisor by) {
    for (int i = 0; i < blocks; i++, target += 3) {
        uint32_t r = 0, g = 0, b = 0;
        for (int k = 0; k < across; k++, sums += 3) {
            r += sums[0];
            g += sums[1];
            b += sums[2];
        }
        target[0] = divide(r, by);
        target[1] = divide(g, by);
        target[2] = divide(b, by);
    }
}

/* As rgb_means, of any number of channels. */
static void means(const uint16_t *restrict sums, uint8_t *restrict target, int blocks, int across, int channels,
                  Divisor by) {
    for (int i = 0; i < blocks; i++, sums += across * channels)
        for (int c = 0; c < channels; c++, target++) {
            uint32_t sum = 0;
            for (int k = c; k < across * channels; k += channels)
                sum += sums[k];
            *target = divide(sum, by);
        }
}

/* The usual factors of RGB are constants, for which the compiler unrolls the loops. */
static void row_means(const uint16_t *sums, uint8_t *target, int blocks, int across, int channels, Divisor by) {
    if (channels != 3)
        means(sums, target, blocks, across, channels, by);
    else if (across == 2)
        rgb_means(sums, target, blocks, 2, by);
    else if (across == 3)
        rgb_means(sums, target, blocks, 3, by);
    else if (across == 4)
        rgb_means(sums, target, blocks, 4, by);
    else
        rgb_means(sums, target, blocks, across, by);
}

int block_means(Pixels source, Pixels target, int across, int down) {
    const int whole = source.width / across, rest = source.width % across, channels = source.channels;
    const size_t bytes = (size_t)source.width * channels;
    uint16_t *sums = malloc(bytes * sizeof *sums);
    if (!sums)
        return -1;
    for (int y = 0; y < target.height; y++) {
        const int left = source.height - y * down, rows = left < down ? left : down;
        uint8_t *to = target.first + y * target.stride;
        add_rows(source.first + (ptrdiff_t)y * down * source.stride, source.stride, rows, sums, bytes);
        row_means(sums, to, whole, across, channels, divisor(across * rows));
        if (rest) {
            const size_t done = (size_t)whole * channels;
            means(sums + done * across, to + done, 1, rest, channels, divisor(rest * rows));
        }
    }
    free(sums);
    return 0;
}
