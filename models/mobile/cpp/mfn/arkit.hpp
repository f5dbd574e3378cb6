// A face as ARKit names it: service/vision/arkit.py in C++17. Match by name, never by position.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "faces.hpp"

namespace mfn {

constexpr std::array<const char*, EXPRESSIONS> EXPRESSION_NAMES = {
    "browDown_L", "browDown_R", "browInnerUp_L", "browInnerUp_R", "browOuterUp_L", "browOuterUp_R", "cheekPuff_L",
    "cheekPuff_R", "cheekSquint_L", "cheekSquint_R", "eyeBlink_L", "eyeBlink_R", "eyeSquint_L", "eyeSquint_R",
    "eyeWide_L", "eyeWide_R", "jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose", "mouthDimple_L",
    "mouthDimple_R", "mouthFrown_L", "mouthFrown_R", "mouthFunnel", "mouthLeft", "mouthLowerDown_L",
    "mouthLowerDown_R", "mouthPress_L", "mouthPress_R", "mouthPucker", "mouthRight", "mouthRollLower",
    "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmile_L", "mouthSmile_R", "mouthStretch_L",
    "mouthStretch_R", "mouthUpperUp_L", "mouthUpperUp_R", "noseSneer_L", "noseSneer_R", "eyeLookDown"};

// In the order of a face's gaze.
constexpr std::array<const char*, LOOKS> GAZE_NAMES = {"eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft",
                                                       "eyeLookInRight",  "eyeLookOutLeft",   "eyeLookOutRight",
                                                       "eyeLookUpLeft",   "eyeLookUpRight"};

// tongueOut stays 0, as the networks cannot see it; so do eyeLookIn, eyeLookOut and eyeLookUp without a gaze.
constexpr std::array<const char*, 52> ARKIT_NAMES = {
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff",
    "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight",
    "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
    "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen", "jawRight",
    "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel",
    "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker",
    "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft",
    "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "noseSneerLeft", "noseSneerRight", "tongueOut"};

constexpr std::size_t GAZE_PLACE = 10;  // where GAZE_NAMES begin among ARKIT_NAMES
static_assert(std::string_view(ARKIT_NAMES[GAZE_PLACE]) == GAZE_NAMES[0]);

// The share that an expression has in a name of ARKit's.
inline float share(const std::string& expression, const std::string& arkit) {
    const bool left = expression.size() > 2 && expression.compare(expression.size() - 2, 2, "_L") == 0;
    const bool right = expression.size() > 2 && expression.compare(expression.size() - 2, 2, "_R") == 0;
    const std::string stem = left || right ? expression.substr(0, expression.size() - 2) : expression;
    if (stem == "browInnerUp" || stem == "cheekPuff") return arkit == stem ? 0.5F : 0.0F;  // one there for both halves
    if (stem == "eyeLookDown") return arkit == stem + "Left" || arkit == stem + "Right" ? 1.0F : 0.0F;
    return arkit == stem + (left ? "Left" : right ? "Right" : "") ? 1.0F : 0.0F;
}

// The 52 weights in [0, 1], in the order of ARKIT_NAMES. Without a gaze the lids stand for eyes that look down.
inline std::array<float, ARKIT_NAMES.size()> arkit(const Expression& expression,
                                                   const std::optional<Gaze>& gaze = std::nullopt) {
    using Shares = std::array<std::array<float, ARKIT_NAMES.size()>, EXPRESSIONS>;
    static const Shares shares = [] {
        Shares table{};
        for (std::size_t i = 0; i < EXPRESSIONS; ++i)
            for (std::size_t j = 0; j < table[i].size(); ++j) table[i][j] = share(EXPRESSION_NAMES[i], ARKIT_NAMES[j]);
        return table;
    }();
    std::array<float, ARKIT_NAMES.size()> weights{};
    for (std::size_t i = 0; i < EXPRESSIONS; ++i)
        for (std::size_t j = 0; j < ARKIT_NAMES.size(); ++j) weights[j] += shares[i][j] * expression[i];
    if (gaze) std::copy(gaze->begin(), gaze->end(), weights.begin() + GAZE_PLACE);
    return weights;
}

}  // namespace mfn
