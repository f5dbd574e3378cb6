#include "pixels.h"

#include <math.h>
#include <stdlib.h>

enum { BITS = 22, HALF = 1 << (BITS - 1) }; /* of the weights, which add up to 1 */

/* How each of `count` target pixels of a line is made: of `taps[i]` source pixels from `first[i]` on, with the weights
 * from weights + i * most on. */
typedef struct {
    int count, most;
    int *first, *taps;
    int32_t *weights;
} Filter;

static void drop(Filter filter) {
    free(filter.first);
    free(filter.taps);
    free(filter.weights);
}

/* The triangle around each target pixel's centre, at least a source pixel to both sides. extent: of the `size` source
 * pixels, those that count. */
static int make(Filter *filter, float extent, int size, int count) {
    const double scale = (double)extent / count, reach = scale < 1 ? 1 : scale;
    const int most = (int)ceil(reach) * 2 + 1;
    double *exact = malloc((size_t)most * sizeof *exact);
    *filter = (Filter){count, most, malloc((size_t)count * sizeof(int)), malloc((size_t)count * sizeof(int)),
                       malloc((size_t)count * (size_t)most * sizeof(int32_t))};
    if (!exact || !filter->first || !filter->taps || !filter->weights) {
        free(exact);
        drop(*filter);
        return -1;
    }
    for (int i = 0; i < count; i++) {
        const double centre = (i + 0.5) * scale;
        int first = (int)(centre - reach + 0.5), end = (int)(centre + reach + 0.5);
        first = first < 0 ? 0 : first;
        end = end > size ? size : end;
        double sum = 0;
        for (int k = first; k < end; k++) {
            const double distance = fabs((k - centre + 0.5) * (1 / reach));
            exact[k - first] = distance < 1 ? 1 - distance : 0;
            sum += exact[k - first];
        }
        for (int k = 0; k < end - first; k++)
            filter->weights[(size_t)i * most + k] = (int32_t)(0.5 + exact[k] / sum * (1 << BITS));
        filter->first[i] = first;
        filter->taps[i] = end - first;
    }
    free(exact);
    return 0;
}

/* One row of RGB to filter.count pixels. */
static void across(const uint8_t *restrict row, uint8_t *restrict target, Filter filter) {
    for (int i = 0; i < filter.count; i++, target += 3) {
        const uint8_t *p = row + 3 * filter.first[i];
        const int32_t *weight = filter.weights + (size_t)i * filter.most;
        int32_t r = HALF, g = HALF, b = HALF;
        for (int k = 0; k < filter.taps[i]; k++, p += 3) {
            r += weight[k] * p[0];
            g += weight[k] * p[1];
            b += weight[k] * p[2];
        }
        target[0] = (uint8_t)(r >> BITS);
        target[1] = (uint8_t)(g >> BITS);
        target[2] = (uint8_t)(b >> BITS);
    }
}

/* One row of `bytes` bytes from the weighted sum of `taps` rows. Two and three rows, all that there are unless it
 * shrinks to less than two thirds, are added at once. */
static void down(const uint8_t *restrict row, ptrdiff_t stride, uint8_t *restrict target, const int32_t *restrict weight,
                 int taps, size_t bytes) {
    if (taps == 2) {
        const uint8_t *second = row + stride;
        for (size_t i = 0; i < bytes; i++)
            target[i] = (uint8_t)((HALF + weight[0] * row[i] + weight[1] * second[i]) >> BITS);
    } else if (taps == 3) {
        const uint8_t *second = row + stride, *third = second + stride;
        for (size_t i = 0; i < bytes; i++)
            target[i] = (uint8_t)((HALF + weight[0] * row[i] + weight[1] * second[i] + weight[2] * third[i]) >> BITS);
    } else {
        for (size_t i = 0; i < bytes; i++) {
            int32_t sum = HALF;
            for (int k = 0; k < taps; k++)
                sum += weight[k] * row[k * stride + (ptrdiff_t)i];
            target[i] = (uint8_t)(sum >> BITS);
        }
    }
}

/* All rows, each to columns.count pixels. */
static void all_across(Pixels source, Pixels target, Filter columns) {
    for (int y = 0; y < source.height; y++)
        across(source.first + y * source.stride, target.first + y * target.stride, columns);
}

/* All columns, each to rows.count pixels. */
static void all_down(Pixels source, Pixels target, Filter rows) {
    for (int y = 0; y < rows.count; y++)
        down(source.first + rows.first[y] * source.stride, source.stride, target.first + y * target.stride,
             rows.weights + (size_t)y * rows.most, rows.taps[y], (size_t)source.width * 3);
}

int resize(Pixels source, Pixels target, float width, float height) {
    /* What is between both steps is rounded, so that their order shows. It is Pillow's: first where more is lost, and
     * across unless twice as many rows go as columns. */
    const int lost_rows = source.height - target.height, lost_columns = source.width - target.width;
    const int down_first = lost_rows > 0 && lost_rows > 2 * lost_columns;
    Pixels between = down_first ? (Pixels){NULL, 0, 3, source.width, target.height, 3}
                                : (Pixels){NULL, 0, 3, target.width, source.height, 3};
    between.stride = (ptrdiff_t)between.width * 3;
    Filter columns, rows;
    if (make(&columns, width, source.width, target.width))
        return -1;
    if (make(&rows, height, source.height, target.height)) {
        drop(columns);
        return -1;
    }
    uint8_t *memory = between.first = malloc((size_t)between.stride * (size_t)between.height);
    const int lacking = !memory;
    if (!lacking && down_first) {
        all_down(source, between, rows);
        all_across(between, target, columns);
    } else if (!lacking) {
        all_across(source, between, columns);
        all_down(between, target, rows);
    }
    free(memory);
    drop(columns);
    drop(rows);
    return lacking ? -1 : 0;
}
