#include "pixels.h"

#include <stdlib.h>

enum { OUTSIDE = -2 }; /* in place of a pixel's number */

static inline int clamp(int value, int most) { return value < 0 ? 0 : value > most ? most : value; }

/* Between four pixels: x, y from the upper left one's centre on, in [0, 1). */
static inline uint8_t between(uint8_t a, uint8_t b, uint8_t c, uint8_t d, double x, double y) {
    const double upper = a + (b - a) * x, lower = c + (d - c) * x;
    return (uint8_t)(upper + (lower - upper) * y);
}

/* As in the middle, but within half a pixel of the source's edge, whose pixels repeat beyond it. */
static void at_edge(Pixels source, int i, int j, double x, double y, uint8_t *pixel) {
    const uint8_t *above = source.first + clamp(j, source.height - 1) * source.stride;
    const uint8_t *below = source.first + clamp(j + 1, source.height - 1) * source.stride;
    const int left = clamp(i, source.width - 1) * 3, right = clamp(i + 1, source.width - 1) * 3;
    for (int c = 0; c < 3; c++)
        pixel[c] = between(above[left + c], above[right + c], below[left + c], below[right + c], x, y);
}

/* Where the places of a row lie along one axis, of which the source has `size` pixels. whole: the pixel whose centre is
 * next below each, from -1 on, or OUTSIDE; rest: how far below. Nothing is decided for single places, so that the compiler
 * calculates several at once. */
static void along(double step, double row, double start, int size, int count, int *restrict whole,
                  double *restrict rest) {
    for (int i = 0; i < count; i++) {
        const double place = step * (i + 0.5) + row + start;
        const double centre = (place >= 0 && place < size ? place : OUTSIDE + 0.5) - 0.5;
        const int towards_zero = (int)centre, below = towards_zero - (centre < towards_zero);
        whole[i] = below;
        rest[i] = centre - below;
    }
}

int crop(Pixels source, Pixels target, const double m[6]) {
    const size_t count = (size_t)target.width;
    double *rests = malloc(2 * count * sizeof *rests), *dx = rests, *dy = rests + count;
    int *wholes = malloc(2 * count * sizeof *wholes), *x = wholes, *y = wholes + count;
    const int lacking = !rests || !wholes;
    for (int row = 0; row < target.height && !lacking; row++) {
        uint8_t *pixel = target.first + row * target.stride;
        along(m[0], m[1] * (row + 0.5), m[2], source.width, target.width, x, dx);
        along(m[3], m[4] * (row + 0.5), m[5], source.height, target.width, y, dy);
        for (int i = 0; i < target.width; i++, pixel += 3) {
            const int in_middle = x[i] >= 0 && y[i] >= 0 && x[i] < source.width - 1 && y[i] < source.height - 1;
            if (in_middle) {
                const uint8_t *p = source.first + y[i] * source.stride + 3 * x[i], *q = p + source.stride;
                for (int c = 0; c < 3; c++)
                    pixel[c] = between(p[c], p[c + 3], q[c], q[c + 3], dx[i], dy[i]);
            } else if (x[i] != OUTSIDE && y[i] != OUTSIDE)
                at_edge(source, x[i], y[i], dx[i], dy[i], pixel);
        }
    }
    free(rests);
    free(wholes);
    return lacking ? -1 : 0;
}
