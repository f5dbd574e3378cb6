// The Multiple Face Network's raw outputs to faces: service/vision/decoding.py, nms.py, voting.py and faces.py in C++17.
#pragma once

#include <algorithm>
#include <array>
#include <cfloat>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <sstream>
#include <string>
#include <vector>

#include "letterbox.hpp"
#include "rotation.hpp"

namespace mfn {

constexpr float FACE_HEIGHT_CM = 20;          // a face of the prior's size is about this high
constexpr float LOG_LIMIT = 4;                // exp of it is 55: no face is that much larger or smaller than its prior
constexpr std::size_t MAX_CANDIDATES = 1000;  // best scores looked at
constexpr float BOX_POWER = 2.0F;             // of the score that a candidate's box counts by
constexpr float WITNESS_SHARE = 0.25F;        // of the best score in a group; those below it have no say in the face
constexpr float MIN_FACE_PIXELS = 6;          // of the picture; on fewer no face shows
constexpr std::size_t IDENTITY_MODES = 50, EXPRESSIONS = 46;

using Box = std::array<float, 4>;                    // x1, y1, x2, y2
using Identity = std::array<float, IDENTITY_MODES>;  // standard deviations
using Expression = std::array<float, EXPRESSIONS>;   // in [0, 1]; names in arkit.hpp

inline float sigmoid(float x) { return (1 + std::tanh(x / 2)) / 2; }
inline float bounded_exp(float x) { return std::exp(std::clamp(x, -LOG_LIMIT, LOG_LIMIT)); }

// A grid of cells of stride x stride pixels with one prior for each anchor (width, height), pixels.
struct Level {
    int stride;
    std::vector<std::array<float, 2>> anchors;
};

// Centre and size, pixels of the network's input.
struct Prior {
    float x, y, width, height;

    float scale() const { return std::sqrt(width * height); }  // the length that a pose's origin and scale are coded in
};

// Levels in their order, cells row by row, the anchors of a cell together.
inline std::vector<Prior> build_priors(const std::vector<Level>& levels, int side) {
    std::vector<Prior> priors;
    for (const Level& level : levels)
        for (int row = 0; row < side / level.stride; ++row)
            for (int column = 0; column < side / level.stride; ++column)
                for (const auto& [width, height] : level.anchors)
                    priors.push_back({(column + 0.5F) * level.stride, (row + 0.5F) * level.stride, width, height});
    return priors;
}

// Of the text of anchors.csv: a line cx,cy,width,height for each prior; lines of other things are passed over.
inline std::vector<Prior> read_priors(const std::string& csv) {
    std::vector<Prior> priors;
    std::istringstream lines(csv);
    for (std::string line; std::getline(lines, line);) {
        std::replace(line.begin(), line.end(), ',', ' ');
        std::istringstream numbers(line);
        Prior prior{};
        if (numbers >> prior.x >> prior.y >> prior.width >> prior.height) priors.push_back(prior);
    }
    return priors;
}

// The outputs, row by row: (N, 5), (N, 7), (N, 50), (N, 46).
struct Raw {
    const float *detection, *pose, *identity, *expression;
};

// index: of the prior. score: in [0, 1].
struct Detection {
    std::size_t index;
    float score;
    Box box;
};

// origin: pixels, of the head frame's origin. scale: pixels a cm.
struct Pose {
    Quaternion quaternion;
    Point origin;
    float scale;
};

struct Candidate {
    float score;
    Box box;
    Pose pose;
    Identity identity;
    Expression expression;
};

// Boxes with at least min_score, the best MAX_CANDIDATES of them, in descending score.
inline std::vector<Detection> detect(const float* detection, const std::vector<Prior>& priors, double min_score) {
    const double threshold = min_score < 1 ? std::log(min_score) - std::log1p(-min_score) : HUGE_VAL;
    std::vector<Detection> found;
    for (std::size_t i = 0; i < priors.size(); ++i) {
        const float* raw = detection + 5 * i;
        if (!(raw[4] >= threshold)) continue;  // a NaN is above no threshold
        const Prior& prior = priors[i];
        const float x = prior.x + raw[0] * prior.width, y = prior.y + raw[1] * prior.height;
        const float w = prior.width * bounded_exp(raw[2]) / 2, h = prior.height * bounded_exp(raw[3]) / 2;
        found.push_back({i, sigmoid(raw[4]), {x - w, y - h, x + w, y + h}});
    }
    std::stable_sort(found.begin(), found.end(), [detection](const Detection& a, const Detection& b) {
        return detection[5 * a.index + 4] > detection[5 * b.index + 4];
    });
    if (found.size() > MAX_CANDIDATES) found.resize(MAX_CANDIDATES);
    return found;
}

// A raw pose of zeros is a head that looks straight out of its prior.
inline Pose decode_pose(const float* raw, const Prior& prior) {
    const float length = prior.scale();
    return {normalize({raw[0], raw[1], raw[2], raw[3] + 1}),
            {prior.x + raw[4] * length, prior.y + raw[5] * length},
            length * bounded_exp(raw[6]) / FACE_HEIGHT_CM};
}

inline Candidate decode(const Raw& raw, const std::vector<Prior>& priors, const Detection& detection) {
    const std::size_t i = detection.index;
    Candidate candidate{detection.score, detection.box, decode_pose(raw.pose + 7 * i, priors[i]), {}, {}};
    std::copy_n(raw.identity + IDENTITY_MODES * i, IDENTITY_MODES, candidate.identity.begin());
    const float* logits = raw.expression + EXPRESSIONS * i;
    std::transform(logits, logits + EXPRESSIONS, candidate.expression.begin(), sigmoid);
    return candidate;
}

// Intersection over union.
inline float iou(const Box& a, const Box& b) {
    const float width = std::min(a[2], b[2]) - std::max(a[0], b[0]);
    const float height = std::min(a[3], b[3]) - std::max(a[1], b[1]);
    const float intersection = std::max(width, 0.0F) * std::max(height, 0.0F);
    const float areas = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]);
    return intersection / std::max(areas - intersection, FLT_MIN);
}

// best: of each group, an index, in descending score. member: of each detection its group, -1 for one of none.
struct Groups {
    std::vector<std::size_t> best;
    std::vector<int> member;
};

// Greedy non-maximum suppression of detections in descending score: a box stays unless it overlaps one that stays by
// more than max_iou. At most `limit` stay, and none after the first `eligible`.
inline Groups suppress(const std::vector<Detection>& found, float max_iou, std::size_t limit, std::size_t eligible) {
    Groups groups{{}, std::vector<int>(found.size(), -1)};
    for (std::size_t i = 0; i < eligible && groups.best.size() < limit; ++i) {
        if (groups.member[i] >= 0) continue;
        const int group = int(groups.best.size());
        groups.best.push_back(i);
        groups.member[i] = group;
        for (std::size_t j = i + 1; j < found.size(); ++j)
            if (groups.member[j] < 0 && iou(found[i].box, found[j].box) > max_iou) groups.member[j] = group;
    }
    return groups;
}

// One candidate for each group: the mean of its witnesses, each counting by its score, its box by the score's square:
// a score tells how well its box fits. The score stays the best one's.
inline std::vector<Candidate> merge(const std::vector<Candidate>& candidates, const Groups& groups) {
    std::vector<Candidate> merged;
    for (std::size_t group = 0; group < groups.best.size(); ++group) {
        const Candidate& best = candidates[groups.best[group]];
        std::vector<const Candidate*> witnesses;
        float total = 0, box_total = 0;
        const auto box_share = [&](float score) { return std::pow(score / best.score, BOX_POWER); };
        for (std::size_t i = 0; i < candidates.size(); ++i)
            if (groups.member[i] == int(group) && candidates[i].score >= WITNESS_SHARE * best.score) {
                witnesses.push_back(&candidates[i]);
                total += candidates[i].score;
                box_total += box_share(candidates[i].score);
            }
        Candidate mean{best.score, {}, {}, {}, {}};
        for (const Candidate* witness : witnesses) {
            const auto add = [](auto& sum, const auto& values, float weight) {
                for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += weight * values[k];
            };
            const float weight = witness->score / total;
            const Quaternion &q = witness->pose.quaternion, &to = best.pose.quaternion;
            const bool against = std::inner_product(q.begin(), q.end(), to.begin(), 0.0F) < 0;  // q is -q, too
            add(mean.box, witness->box, box_share(witness->score) / box_total);
            add(mean.pose.quaternion, q, against ? -weight : weight);
            add(mean.pose.origin, witness->pose.origin, weight);
            mean.pose.scale += weight * std::log(witness->pose.scale);
            add(mean.identity, witness->identity, weight);
            add(mean.expression, witness->expression, weight);
        }
        mean.pose.quaternion = normalize(mean.pose.quaternion);
        mean.pose.scale = std::exp(mean.pose.scale);
        merged.push_back(mean);
    }
    return merged;
}

}  // namespace mfn
