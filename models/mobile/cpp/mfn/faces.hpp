// Faces in the frame of the picture, and the whole way to them: service/vision/faces.py and Pipeline.detect in C++17.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <vector>

#include "candidates.hpp"

namespace mfn {

constexpr std::size_t LOOKS = 8;

using Gaze = std::array<float, LOOKS>;  // in [0, 1]; names in arkit.hpp

// box: pixels of the picture; may reach past its edges. translation: cm. scale: pixels a cm. gaze: of a second look.
struct Face {
    float score;
    Box box;
    Quaternion quaternion;
    std::array<float, 3> translation;
    float scale;
    Identity identity;
    Expression expression;
    std::optional<Gaze> gaze;
};

struct Options {
    double min_score = 0.5;
    float max_iou = 0.5F;        // boxes that overlap by more than this are one face
    std::size_t max_faces = 20;  // the best ones
    double field_of_view = 63;   // degrees, from the picture's top to its bottom
};

// cm, of a head whose origin projects to these pixels, at scale pixels a cm. Depth cannot be seen under weak
// perspective; it is reported for a camera with the given field of view.
inline std::array<float, 3> translation(const Point& origin, float scale, int width, int height, double field_of_view) {
    const double focal_length = height / 2.0 / std::tan(field_of_view * RADIANS / 2);  // pixels
    return {(origin[0] - width / 2.0F) / scale, (height / 2.0F - origin[1]) / scale, float(-focal_length) / scale};
}

// A candidate in the network's input to a face in the picture that the letterbox holds.
inline Face place(const Candidate& candidate, const Letterbox& letterbox, double field_of_view) {
    const Point low = letterbox.to_picture({candidate.box[0], candidate.box[1]});
    const Point high = letterbox.to_picture({candidate.box[2], candidate.box[3]});
    const Point origin = letterbox.to_picture(candidate.pose.origin);
    const float scale = candidate.pose.scale / letterbox.scale;
    return {candidate.score,
            {low[0], low[1], high[0], high[1]},
            candidate.pose.quaternion,
            translation(origin, scale, letterbox.width, letterbox.height, field_of_view),
            scale,
            candidate.identity,
            candidate.expression,
            std::nullopt};
}

// The faces in the picture, in descending score, of the network's raw outputs for what the letterbox made of it.
inline std::vector<Face> find_faces(const Raw& raw, const std::vector<Prior>& priors, const Letterbox& letterbox,
                                    const Options& options) {
    // what a face is must not hang on the score asked for: candidates below it still have their say
    const auto detections = detect(raw.detection, priors, double(WITNESS_SHARE) * options.min_score);
    std::size_t eligible = 0;
    while (eligible < detections.size() && detections[eligible].score >= float(options.min_score)) ++eligible;
    if (eligible == 0) return {};
    const Groups groups = suppress(detections, options.max_iou, options.max_faces, eligible);
    std::vector<Candidate> candidates;
    for (const Detection& detection : detections) candidates.push_back(decode(raw, priors, detection));
    std::vector<Face> faces;
    for (const Candidate& candidate : merge(candidates, groups)) {
        const Face face = place(candidate, letterbox, options.field_of_view);
        const float smaller = std::min(face.box[2] - face.box[0], face.box[3] - face.box[1]);
        if (smaller >= MIN_FACE_PIXELS) faces.push_back(face);
    }
    return faces;
}

}  // namespace mfn
