#include "pixels.h"

enum { CHUNK = 64 }; /* pixels that are in planes at once, so that the compiler mixes several together */

static inline void combine(const float *restrict m, const float *restrict a, const float *restrict b,
                           const float *restrict c, int32_t *restrict mixed) {
    for (int i = 0; i < CHUNK; i++) {
        const float sum = m[0] * a[i] + m[1] * b[i] + m[2] * c[i] + m[3] + 0.5f, positive = sum > 0 ? sum : 0;
        mixed[i] = (int32_t)(positive < 255 ? positive : 255);
    }
}

void mix(Pixels source, Pixels target, const float m[12]) {
    float a[CHUNK] = {0}, b[CHUNK] = {0}, c[CHUNK] = {0};
    int32_t mixed[3][CHUNK];
    for (int y = 0; y < source.height; y++) {
        const uint8_t *from = source.first + y * source.stride;
        uint8_t *to = target.first + y * target.stride;
        for (int x = 0; x < source.width; x += CHUNK) {
            const int count = source.width - x < CHUNK ? source.width - x : CHUNK;
            for (int i = 0; i < count; i++, from += source.step) {
                a[i] = from[0];
                b[i] = from[1];
                c[i] = from[2];
            }
            for (int k = 0; k < 3; k++)
                combine(m + 4 * k, a, b, c, mixed[k]);
            for (int i = 0; i < count; i++, to += target.step)
                for (int k = 0; k < 3; k++)
                    to[k] = (uint8_t)mixed[k][i];
        }
    }
}
