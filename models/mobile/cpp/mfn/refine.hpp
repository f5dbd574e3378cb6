// A second look at a face: an upright crop of it for the Single Face Network, and its answer turned back.
// service/vision/crops.py, refinement.py and the landmarks of service/vision/face_model.py in C++17.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <vector>

#include "faces.hpp"

namespace mfn {

constexpr int CROP_SIDE = 128;  // pixels of the Single Face Network's square input
constexpr float CROP_FACTOR = 1.4F;  // crop_factor of models/manifest.json
constexpr float FIRST_LOOK = 0.15F;  // what the first look still counts beside the second in pose and identity
constexpr std::size_t LANDMARKS = 68;  // iBUG order: jaw 0-16, brows 17-26, nose 27-35, eyes 36-47, mouth 48-67

using Landmarks = std::array<Point, LANDMARKS>;

// The 68 points of the linear face model, which move with the coefficients.
struct LandmarkModel {
    static constexpr std::size_t WIDTH = 3 * LANDMARKS, ROWS = 1 + IDENTITY_MODES + EXPRESSIONS;
    std::vector<float> rows;  // mean, identity, expression: ROWS of WIDTH numbers, cm in the head frame

    // Of the bytes of landmarks.bin, on a little-endian machine. No rows where it is not that file.
    static LandmarkModel read(const std::uint8_t* bytes, std::size_t size) {
        LandmarkModel model;
        if (size != ROWS * WIDTH * sizeof(float)) return model;
        model.rows.resize(ROWS * WIDTH);
        std::memcpy(model.rows.data(), bytes, size);
        return model;
    }

    // Where they lie in the picture, pixels, under weak perspective.
    Landmarks project(const Face& face, int width, int height) const {
        std::vector<float> shape(rows.begin(), rows.begin() + WIDTH);
        for (std::size_t i = 0; i < ROWS - 1; ++i) {
            const float weight = i < IDENTITY_MODES ? face.identity[i] : face.expression[i - IDENTITY_MODES];
            for (std::size_t k = 0; k < WIDTH; ++k) shape[k] += weight * rows[(i + 1) * WIDTH + k];
        }
        const Matrix m = quaternion_to_matrix(face.quaternion);
        Landmarks points;
        for (std::size_t i = 0; i < LANDMARKS; ++i) {
            const float *p = &shape[3 * i], x = m[0][0] * p[0] + m[0][1] * p[1] + m[0][2] * p[2];
            const float y = m[1][0] * p[0] + m[1][1] * p[1] + m[1][2] * p[2];
            points[i] = {width / 2.0F + face.scale * (x + face.translation[0]),
                         height / 2.0F - face.scale * (y + face.translation[1])};
        }
        return points;
    }
};

// A square of the picture, turned so that the head in it is upright. x, y: its centre; side: pixels of the picture.
// roll: degrees, counter-clockwise as seen, that the square is turned by.
struct Crop {
    double x, y, side, roll;

    // The crop around projected landmarks of a head with this rotation: turned upright, their bounding box has the
    // crop's centre; the crop's side is crop_factor times its longer one.
    static Crop around(const Landmarks& landmarks, const Quaternion& quaternion, double crop_factor) {
        const double roll = turn_in_plane(quaternion);
        const double c = std::cos(roll * RADIANS), s = std::sin(roll * RADIANS);
        double x1 = HUGE_VAL, y1 = HUGE_VAL, x2 = -HUGE_VAL, y2 = -HUGE_VAL;
        for (const auto& [px, py] : landmarks) {
            const double u = c * px - s * py, v = s * px + c * py;
            x1 = std::min(x1, u), x2 = std::max(x2, u), y1 = std::min(y1, v), y2 = std::max(y2, v);
        }
        const double u = (x1 + x2) / 2, v = (y1 + y2) / 2;
        return {c * u + s * v, c * v - s * u, std::max(1.0, crop_factor * std::max(x2 - x1, y2 - y1)), roll};
    }

    // Pixels of the picture of a point of the crop of CROP_SIDE pixels.
    std::array<double, 2> to_picture(double px, double py) const {
        const double c = std::cos(roll * RADIANS), s = std::sin(roll * RADIANS);
        const double u = (px - CROP_SIDE / 2.0) * (side / CROP_SIDE), v = (py - CROP_SIDE / 2.0) * (side / CROP_SIDE);
        return {c * u + s * v + x, c * v - s * u + y};
    }

    // The Single Face Network's input: grey outside the picture. Shrinks by averaging, then interpolates.
    Pixels sample(const Picture& picture) const {
        Pixels result(CROP_SIDE, CROP_SIDE, PAD_GREY);
        double low[2] = {HUGE_VAL, HUGE_VAL}, high[2] = {-HUGE_VAL, -HUGE_VAL};
        for (int i = 0; i < 4; ++i) {
            const auto corner = to_picture(i % 2 * CROP_SIDE, i / 2 * CROP_SIDE);
            for (int k = 0; k < 2; ++k) low[k] = std::min(low[k], corner[k]), high[k] = std::max(high[k], corner[k]);
        }
        const auto first = [](double x, int size) { return int(std::clamp(std::floor(x) - 2, 0.0, double(size))); };
        const auto last = [](double x, int size) { return int(std::clamp(std::ceil(x) + 2, 0.0, double(size))); };
        const int x1 = first(low[0], picture.width), x2 = last(high[0], picture.width);
        const int y1 = first(low[1], picture.height), y2 = last(high[1], picture.height);
        if (x1 >= x2 || y1 >= y2) return result;
        const int shrink = std::max(1, int(side / CROP_SIDE));
        const Pixels region = reduce(picture, x1, y1, x2, y2, shrink, shrink);
        const double c = std::cos(roll * RADIANS) * side / CROP_SIDE, s = std::sin(roll * RADIANS) * side / CROP_SIDE;
        for (int row = 0; row < CROP_SIDE; ++row)
            for (int column = 0; column < CROP_SIDE; ++column) {
                const double px = column + 0.5 - CROP_SIDE / 2.0, py = row + 0.5 - CROP_SIDE / 2.0;
                const double u = (c * px + s * py + x - x1) / shrink, v = (c * py - s * px + y - y1) / shrink;
                if (u < 0 || v < 0 || u >= region.width || v >= region.height) continue;
                const int i = int(std::floor(u - 0.5)), j = int(std::floor(v - 0.5));
                const float du = float(u - 0.5 - i), dv = float(v - 0.5 - j);
                const int left = std::max(i, 0), right = std::min(i + 1, region.width - 1);
                const int above = std::max(j, 0), below = std::min(j + 1, region.height - 1);
                for (int k = 0; k < 3; ++k) {
                    const float top = region.at(left, above)[k] * (1 - du) + region.at(right, above)[k] * du;
                    const float bottom = region.at(left, below)[k] * (1 - du) + region.at(right, below)[k] * du;
                    result.at(column, row)[k] = std::uint8_t(top * (1 - dv) + bottom * dv);
                }
            }
        return result;
    }
};

// The face with pose, identity, expression and gaze of the Single Face Network's raw outputs (7), (50), (46), (8) for
// its crop in a picture of width x height pixels. gaze: null for a network before 0.6, which does not see it. Box and
// score stay.
inline Face refined(Face face, const Crop& crop, const float* pose, const float* identity, const float* expression,
                    const float* gaze, int width, int height, double field_of_view) {
    constexpr float half = CROP_SIDE / 2.0F;
    const Pose seen = decode_pose(pose, {half, half, CROP_SIDE, CROP_SIDE});
    const double half_roll = crop.roll * RADIANS / 2;
    const auto origin = crop.to_picture(seen.origin[0], seen.origin[1]);
    const Quaternion turn = {0, 0, float(std::sin(half_roll)), float(std::cos(half_roll))};
    face.quaternion = normalize(multiply(turn, seen.quaternion));
    face.scale = seen.scale * float(crop.side / CROP_SIDE);
    face.translation = translation({float(origin[0]), float(origin[1])}, face.scale, width, height, field_of_view);
    std::copy_n(identity, IDENTITY_MODES, face.identity.begin());
    std::transform(expression, expression + EXPRESSIONS, face.expression.begin(), sigmoid);
    face.gaze.reset();
    if (gaze) std::transform(gaze, gaze + LOOKS, face.gaze.emplace().begin(), sigmoid);
    return face;
}

// What two looks at a face of the same picture say together: the second one's face, its pose and identity moved by
// FIRST_LOOK toward the first one's.
inline Face both_looks(const Face& first, Face second) {
    const auto mean = [](float a, float b) { return b + FIRST_LOOK * (a - b); };
    const auto to_mean = [&](const auto& a, auto& b) { std::transform(a.begin(), a.end(), b.begin(), b.begin(), mean); };
    Quaternion turn = first.quaternion;
    if (std::inner_product(turn.begin(), turn.end(), second.quaternion.begin(), 0.0F) < 0)
        for (float& part : turn) part = -part;  // q and -q are one rotation
    to_mean(turn, second.quaternion);
    second.quaternion = normalize(second.quaternion);
    to_mean(first.translation, second.translation);
    second.scale = 1 / mean(1 / first.scale, 1 / second.scale);  // as depth, which is inverse to it
    to_mean(first.identity, second.identity);
    return second;
}

}  // namespace mfn
