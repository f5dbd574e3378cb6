// A picture of any shape in the middle of the network's square, and the way back: service/vision/letterbox.py in C++17.
// Coordinates are continuous: (0, 0) is the top left corner, the centre of pixel (i, j) is (i + 0.5, j + 0.5).
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mfn {

constexpr std::uint8_t PAD_GREY = 114;  // what surrounds the picture, in training too

using Point = std::array<float, 2>;  // x, y

// An upright view of pixels in memory. width, height: as seen upright.
struct Picture {
    const std::uint8_t* origin;  // red of the pixel that is seen at the top left
    int width, height;
    std::ptrdiff_t step_x, step_y, step_channel;  // bytes to the pixel seen to the right, below, and from red to green

    const std::uint8_t* at(int x, int y) const { return origin + x * step_x + y * step_y; }
};

// A camera's frame of width x height pixels in rows of row_stride bytes, a pixel every pixel_stride bytes, which stands
// upright when turned clockwise by rotation: 0, 90, 180 or 270 degrees. RGB or RGBA, or with bgr BGR or BGRA.
inline Picture upright(const std::uint8_t* data, int width, int height, std::ptrdiff_t row_stride,
                       std::ptrdiff_t pixel_stride, int rotation, bool bgr = false) {
    const std::ptrdiff_t right = (width - 1) * pixel_stride, bottom = (height - 1) * row_stride;
    const std::ptrdiff_t step = bgr ? -1 : 1;
    const std::uint8_t* red = bgr ? data + 2 : data;
    switch (rotation) {
        case 90: return {red + bottom, height, width, -row_stride, pixel_stride, step};
        case 180: return {red + bottom + right, width, height, -pixel_stride, -row_stride, step};
        case 270: return {red + right, height, width, row_stride, -pixel_stride, step};
        default: return {red, width, height, pixel_stride, row_stride, step};
    }
}

// RGB without gaps.
struct Pixels {
    int width, height;
    std::vector<std::uint8_t> bytes;

    Pixels(int width, int height, std::uint8_t grey = 0)
        : width(width), height(height), bytes(std::size_t(width) * height * 3, grey) {}
    std::uint8_t* at(int x, int y) { return bytes.data() + (std::size_t(y) * width + x) * 3; }
    const std::uint8_t* at(int x, int y) const { return bytes.data() + (std::size_t(y) * width + x) * 3; }
};

// The mean of each block of factor_x x factor_y pixels in x1 <= x < x2, y1 <= y < y2; the last may be smaller.
inline Pixels reduce(const Picture& picture, int x1, int y1, int x2, int y2, int factor_x, int factor_y) {
    const int width = (x2 - x1 + factor_x - 1) / factor_x, height = (y2 - y1 + factor_y - 1) / factor_y;
    Pixels result(width, height);
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) {
            const int left = x1 + x * factor_x, right = std::min(x2, left + factor_x);
            const int top = y1 + y * factor_y, bottom = std::min(y2, top + factor_y);
            int red = 0, green = 0, blue = 0;
            for (int v = top; v < bottom; ++v) {
                const std::uint8_t* pixel = picture.at(left, v);
                for (int u = left; u < right; ++u, pixel += picture.step_x) {
                    red += pixel[0];
                    green += pixel[picture.step_channel];
                    blue += pixel[2 * picture.step_channel];
                }
            }
            const float share = 1.0F / float((right - left) * (bottom - top));
            std::uint8_t* mean = result.at(x, y);
            mean[0] = std::uint8_t(float(red) * share + 0.5F);
            mean[1] = std::uint8_t(float(green) * share + 0.5F);
            mean[2] = std::uint8_t(float(blue) * share + 0.5F);
        }
    return result;
}

// How a pixel of a resized row is made of the row's pixels first, first + 1, ...
struct Taps {
    int first;
    std::vector<float> weights;
};

// Bilinear resizing of `size` pixels, of which `extent` count, to `target`; its triangle widens where that shrinks.
inline std::vector<Taps> triangle_taps(double extent, int size, int target) {
    const double scale = extent / target, reach = std::max(scale, 1.0);
    std::vector<Taps> taps;
    for (int i = 0; i < target; ++i) {
        const double centre = (i + 0.5) * scale;
        const int first = std::max(0, int(centre - reach + 0.5)), last = std::min(size, int(centre + reach + 0.5));
        Taps tap{first, {}};
        double sum = 0;
        for (int j = first; j < last; ++j) {
            const double weight = std::max(0.0, 1 - std::abs(j - centre + 0.5) / reach);
            tap.weights.push_back(float(weight));
            sum += weight;
        }
        for (float& weight : tap.weights) weight /= float(sum);
        taps.push_back(tap);
    }
    return taps;
}

// Where a picture lies in the square. content_*: pixels it takes there; offset_*: of its top left corner there.
struct Letterbox {
    int width, height, side, content_width, content_height, offset_x, offset_y;
    float scale;  // square's pixels per picture's pixel along the longer side

    static Letterbox fit(int width, int height, int side) {
        const double scale = double(side) / std::max(width, height);
        const int w = std::max(1, int(std::nearbyint(width * scale)));  // halves to the even number, as in Python
        const int h = std::max(1, int(std::nearbyint(height * scale)));
        return {width, height, side, w, h, (side - w) / 2, (side - h) / 2, float(scale)};
    }

    Point to_picture(const Point& p) const {
        return {(p[0] - offset_x) * (float(width) / content_width),
                (p[1] - offset_y) * (float(height) / content_height)};
    }

    Point to_square(const Point& p) const {
        return {p[0] * (float(content_width) / width) + offset_x,
                p[1] * (float(content_height) / height) + offset_y};
    }

    // The network's input: the square around the picture. Whole factors are averaged away, the rest is bilinear.
    Pixels apply(const Picture& picture) const {
        const int factor_x = std::max(1, picture.width / content_width);
        const int factor_y = std::max(1, picture.height / content_height);
        const Pixels small = reduce(picture, 0, 0, picture.width, picture.height, factor_x, factor_y);
        const auto across = triangle_taps(double(picture.width) / factor_x, small.width, content_width);
        const auto down = triangle_taps(double(picture.height) / factor_y, small.height, content_height);
        Pixels narrow(content_width, small.height);
        for (int y = 0; y < small.height; ++y)
            for (int x = 0; x < content_width; ++x) {
                float sums[3] = {0.5F, 0.5F, 0.5F};
                const std::uint8_t* pixel = small.at(across[x].first, y);
                for (const float weight : across[x].weights)
                    for (float& sum : sums) sum += weight * *pixel++;
                for (int c = 0; c < 3; ++c) narrow.at(x, y)[c] = std::uint8_t(std::min(sums[c], 255.0F));
            }
        Pixels square(side, side, PAD_GREY);
        for (int y = 0; y < content_height; ++y) {
            std::vector<float> sums(std::size_t(content_width) * 3, 0.5F);
            for (std::size_t k = 0; k < down[y].weights.size(); ++k) {
                const std::uint8_t* row = narrow.at(0, down[y].first + int(k));
                for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += down[y].weights[k] * row[i];
            }
            std::uint8_t* row = square.at(offset_x, y + offset_y);
            for (std::size_t i = 0; i < sums.size(); ++i) row[i] = std::uint8_t(std::min(sums[i], 255.0F));
        }
        return square;
    }
};

}  // namespace mfn
