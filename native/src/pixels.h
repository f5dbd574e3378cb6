/* Resampling of 8-bit pixels as Pillow 13 does it, byte for byte. Nothing here knows of Python.
 *
 * Coordinates are continuous: the centre of pixel (i, j) is (i + 0.5, j + 0.5). */
#ifndef MFN_PIXELS_H
#define MFN_PIXELS_H

#include <stddef.h>
#include <stdint.h>

/* Rows of pixels. The bytes of a pixel follow each other, `step` bytes lead to the next one, and `stride` bytes, which may
 * be negative, to the next row. */
typedef struct {
    uint8_t *first;
    ptrdiff_t stride;
    int step, width, height, channels;
} Pixels;

enum { MAX_BLOCK_HEIGHT = 257 }; /* rows, the most whose bytes add up to 16 bits at most: 257 x 255 = 65535 */
enum { MAX_BLOCK_PIXELS = 1 << 24 }; /* whose reciprocal has 24 bits; their bytes add up to 32 bits at most */

/* The mean of each block of across x down pixels; blocks at the right and lower edge are smaller where the size is no
 * multiple. target: of 1 / across and 1 / down of the size, rounded up. down: at most MAX_BLOCK_HEIGHT, and
 * across x down at most MAX_BLOCK_PIXELS. Returns 0, or -1 where memory is lacking. */
int block_means(Pixels source, Pixels target, int across, int down);

/* The three channels of each pixel as linear combinations of the source's: m[4 * i] to m[4 * i + 2] are the weights of
 * the target's channel i, m[4 * i + 3] is added; rounded, 0 to 255. The target may be the source. */
void mix(Pixels source, Pixels target, const float m[12]);

/* Bilinear, of RGB without gaps; where it shrinks, the filter's triangle widens, so that nothing aliases. width, height: of the
 * source, pixels, which may end within its last pixel; Pillow has 24 bits for them. Returns 0, or -1 where memory is
 * lacking. */
int resize(Pixels source, Pixels target, float width, float height);

/* Bilinear, of RGB without gaps, at places of the source: x = m[0] u + m[1] v + m[2], y = m[3] u + m[4] v + m[5] of a target's pixel
 * with the centre (u, v). Pixels whose place is outside of the source stay as they are. Returns 0, or -1 where memory
 * is lacking. */
int crop(Pixels source, Pixels target, const double m[6]);

#endif
