// Rotations of the head: service/vision/rotation.py in C++17. Camera frame right-handed: x to the image's right, y up,
// z toward the viewer.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

namespace mfn {

using Quaternion = std::array<float, 4>;             // x, y, z, w; unit, w >= 0; head coordinates to the camera's
using Matrix = std::array<std::array<float, 3>, 3>;  // rows

// Degrees. R = Rz(roll) Ry(yaw) Rx(pitch): yaw > 0 turns the face toward the image's right, pitch > 0 looks down,
// roll > 0 is counter-clockwise as seen.
struct Euler {
    float yaw, pitch, roll;
};

constexpr float MIN_NORM = 1e-8F;  // below this a quaternion has no direction left and stands for no rotation
constexpr double RADIANS = 0.017453292519943295;  // a degree

// The unit quaternion with w >= 0 of one of any length; a zero one becomes the identity.
inline Quaternion normalize(Quaternion q) {
    const float length = std::sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3]);
    if (length < MIN_NORM) return {0, 0, 0, 1};
    for (float& part : q) part /= length;
    if (q[3] < 0)
        for (float& part : q) part = -part;
    return q;
}

// Hamilton product: the rotation b followed by the rotation a.
inline Quaternion multiply(const Quaternion& a, const Quaternion& b) {
    const auto [ax, ay, az, aw] = a;
    const auto [bx, by, bz, bw] = b;
    return {aw * bx + ax * bw + ay * bz - az * by, aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw, aw * bw - ax * bx - ay * by - az * bz};
}

inline Matrix quaternion_to_matrix(const Quaternion& q) {
    const auto [x, y, z, w] = q;
    return {{{1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)},
             {2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)},
             {2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)}}};
}

// Yaw within [-90, 90].
inline Euler quaternion_to_euler(const Quaternion& q) {
    const Matrix m = quaternion_to_matrix(q);
    return {float(-std::asin(std::clamp(m[2][0], -1.0F, 1.0F)) / RADIANS),
            float(std::atan2(m[2][1], m[2][2]) / RADIANS), float(std::atan2(m[1][0], m[0][0]) / RADIANS)};
}

// Degrees, counter-clockwise as seen: of the turns within the picture's plane the one nearest to a unit quaternion.
// Unlike roll, which means nothing at a yaw of 90 degrees, it changes little with the rotation.
inline double turn_in_plane(const Quaternion& q) { return 2 * std::atan2(double(q[2]), double(q[3])) / RADIANS; }

}  // namespace mfn
