// Compares models/mobile/cpp with models/mobile/vectors.txt: `check vectors.txt landmarks.bin`. Prints a line for each
// section: how many numbers were compared and how far the worst is off, in tolerances.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "mfn/arkit.hpp"
#include "mfn/candidates.hpp"
#include "mfn/faces.hpp"
#include "mfn/letterbox.hpp"
#include "mfn/refine.hpp"
#include "mfn/rotation.hpp"

namespace {

constexpr double UNIT = 512;  // raw outputs are whole multiples of 1 / UNIT
constexpr float BACKGROUND = -8;
constexpr std::size_t COLUMNS = 108;

class Vectors {
public:
    explicit Vectors(const char* path) : file(path) {}

    std::string word() {
        std::string token;
        while (file >> token && token[0] == '#') std::getline(file, token);
        if (!file) throw std::runtime_error("the vectors end too early");
        return token;
    }
    double number() { return std::stod(word()); }
    float real() { return float(number()); }
    int whole() { return std::stoi(word()); }
    int section(const std::string& name) {
        expect_word(name);
        current = name;
        return whole();
    }
    template <typename Array> void read(Array& values) { for (auto& value : values) value = real(); }
    void expect(double value, double absolute = 1e-5, double relative = 1e-5) {
        const double expected = number();
        const double off = std::abs(value - expected) / (absolute + relative * std::abs(expected));
        Tally& tally = tallies[current];
        ++tally.numbers;
        if (!(off <= tally.worst)) tally.worst = off;
    }
    template <typename Array> void expect_all(const Array& values) { for (const auto value : values) expect(value); }
    void expect_word(const std::string& value) {
        const std::string found = word();
        if (value != found) throw std::runtime_error(found + " stands where " + value + " was due");
    }
    bool report() const {
        bool good = true;
        for (const auto& [name, tally] : tallies) {
            std::printf("%s: %d numbers, worst %.3f tolerances\n", name.c_str(), tally.numbers, tally.worst);
            good = good && tally.worst <= 1;
        }
        return good;
    }

private:
    struct Tally { int numbers = 0; double worst = 0; };
    std::ifstream file;
    std::string current;
    std::map<std::string, Tally> tallies;
};

void check_rotations(Vectors& vectors) {
    for (int n = vectors.section("rotations"); n > 0; --n) {
        mfn::Quaternion quaternion;
        vectors.read(quaternion);
        const mfn::Quaternion unit = mfn::normalize(quaternion);
        vectors.expect_all(unit);
        for (const auto& row : mfn::quaternion_to_matrix(unit)) vectors.expect_all(row);
        const mfn::Euler euler = mfn::quaternion_to_euler(unit);
        for (const float angle : {euler.yaw, euler.pitch, euler.roll}) vectors.expect(angle, 1e-3, 0);
    }
}

void check_letterboxes(Vectors& vectors) {
    for (int n = vectors.section("letterboxes"); n > 0; --n) {
        const int width = vectors.whole(), height = vectors.whole(), side = vectors.whole();
        const mfn::Letterbox box = mfn::Letterbox::fit(width, height, side);
        for (const int value : {box.content_width, box.content_height, box.offset_x, box.offset_y})
            vectors.expect(value, 1e-9, 0);
        mfn::Point points[2];
        for (auto& point : points) vectors.read(point);
        for (const auto& point : points) vectors.expect_all(box.to_square(point));
        for (const auto& point : points) vectors.expect_all(box.to_picture(point));
    }
}

void check_arkit(Vectors& vectors) {
    for (int n = vectors.section("arkit"); n > 0; --n) {
        for (const char* name : mfn::EXPRESSION_NAMES) vectors.expect_word(name);
        for (const char* name : mfn::GAZE_NAMES) vectors.expect_word(name);
        for (const char* name : mfn::ARKIT_NAMES) vectors.expect_word(name);
        mfn::Expression expression;
        vectors.read(expression);
        std::optional<mfn::Gaze> gaze;
        if (vectors.whole() > 0) vectors.read(gaze.emplace());
        vectors.expect_all(mfn::arkit(expression, gaze));
    }
}

void expect_coefficients(Vectors& vectors, const mfn::Face& face) {
    vectors.expect_all(face.quaternion);
    vectors.expect_all(face.translation);
    vectors.expect(face.scale);
    vectors.expect_all(face.identity);
    vectors.expect_all(face.expression);
}

void check_cases(Vectors& vectors) {
    for (int n = vectors.section("cases"); n > 0; --n) {
        vectors.word();
        const int side = vectors.whole();
        std::vector<mfn::Level> levels(vectors.whole());
        for (mfn::Level& level : levels) {
            level.stride = vectors.whole();
            level.anchors.resize(vectors.whole());
            for (auto& anchor : level.anchors) vectors.read(anchor);
        }
        const int width = vectors.whole(), height = vectors.whole();
        mfn::Options options;
        options.min_score = vectors.number();
        options.max_iou = vectors.real();
        options.max_faces = vectors.whole();
        options.field_of_view = vectors.number();

        const auto priors = mfn::build_priors(levels, side);
        std::vector<float> table(priors.size() * COLUMNS);
        for (std::size_t i = 0; i < priors.size(); ++i) table[COLUMNS * i + 4] = BACKGROUND;
        for (int row = vectors.whole(); row > 0; --row) {
            const std::size_t prior = vectors.whole(), count = vectors.whole();
            for (std::size_t k = 0; k < count; ++k) table[COLUMNS * prior + k] = float(vectors.number() / UNIT);
        }
        std::vector<float> outputs[4];
        const std::size_t starts[] = {0, 5, 12, 62, COLUMNS};
        for (int k = 0; k < 4; ++k)
            for (std::size_t i = 0; i < priors.size(); ++i)
                for (std::size_t column = starts[k]; column < starts[k + 1]; ++column)
                    outputs[k].push_back(table[COLUMNS * i + column]);
        const mfn::Raw raw{outputs[0].data(), outputs[1].data(), outputs[2].data(), outputs[3].data()};

        const auto found = mfn::detect(raw.detection, priors, mfn::WITNESS_SHARE * options.min_score);
        std::size_t eligible = 0;
        for (const auto& detection : found) eligible += detection.score >= float(options.min_score);
        const auto groups = mfn::suppress(found, options.max_iou, options.max_faces, eligible);
        vectors.expect(double(found.size()), 1e-9, 0);
        for (const auto& detection : found) vectors.expect(double(detection.index), 1e-9, 0);
        for (const int member : groups.member) vectors.expect(member, 1e-9, 0);

        const auto faces = mfn::find_faces(raw, priors, mfn::Letterbox::fit(width, height, side), options);
        vectors.expect(double(faces.size()), 1e-9, 0);
        for (const auto& face : faces) {
            vectors.expect(face.score);
            vectors.expect_all(face.box);
            expect_coefficients(vectors, face);
        }
    }
}

void check_refinements(Vectors& vectors, const mfn::LandmarkModel& model) {
    for (int n = vectors.section("refinements"); n > 0; --n) {
        const int width = vectors.whole(), height = vectors.whole();
        const double field_of_view = vectors.number(), crop_factor = vectors.number();
        mfn::Face face{};
        vectors.read(face.quaternion);
        vectors.read(face.translation);
        face.scale = vectors.real();
        vectors.read(face.identity);
        vectors.read(face.expression);
        const auto landmarks = model.project(face, width, height);
        for (const auto& point : landmarks) vectors.expect_all(point);
        const mfn::Crop crop = mfn::Crop::around(landmarks, face.quaternion, crop_factor);
        for (const double value : {crop.x, crop.y, crop.side}) vectors.expect(value);
        vectors.expect(crop.roll, 1e-3, 0);
        std::vector<float> raw(COLUMNS - 5 + mfn::LOOKS);
        for (float& value : raw) value = float(vectors.number() / UNIT);
        const mfn::Face second =
            mfn::refined(face, crop, &raw[0], &raw[7], &raw[57], &raw[103], width, height, field_of_view);
        for (const mfn::Face& seen : {second, mfn::both_looks(face, second)}) {
            expect_coefficients(vectors, seen);
            vectors.expect_all(seen.gaze.value());
        }
        const mfn::Face blind =
            mfn::refined(second, crop, &raw[0], &raw[7], &raw[57], nullptr, width, height, field_of_view);
        if (face.gaze || blind.gaze) throw std::runtime_error("a gaze that no network saw");
    }
}

// The frame that the vectors describe, in rows with a gap behind each, as RGBA or BGRA.
struct Frame {
    int width, height, row_stride;
    bool bgr;
    std::vector<std::uint8_t> bytes;

    Frame(int width, int height, bool bgr)
        : width(width), height(height), row_stride(4 * width + 12), bgr(bgr), bytes(row_stride * height) {
        for (int y = 0; y < height; ++y)
            for (int x = 0; x < width; ++x)
                for (int c = 0; c < 3; ++c)
                    bytes[y * row_stride + 4 * x + (bgr ? 2 - c : c)] =
                        std::uint8_t(37 * (c + 1) * x + 59 * y + 11 * (x * y % 17));
    }
    mfn::Picture upright(int rotation) const {
        return mfn::upright(bytes.data(), width, height, row_stride, 4, rotation, bgr);
    }
};

void check_pictures(Vectors& vectors) {
    for (int n = vectors.section("squares"); n > 0; --n) {
        const int width = vectors.whole(), height = vectors.whole(), rotation = vectors.whole(), side = vectors.whole();
        const Frame frame(width, height, n % 2 == 0);
        const mfn::Picture picture = frame.upright(rotation);
        const auto square = mfn::Letterbox::fit(picture.width, picture.height, side).apply(picture);
        for (const std::uint8_t value : square.bytes) vectors.expect(value, 2, 0);
    }
    for (int n = vectors.section("samples"); n > 0; --n) {
        const int width = vectors.whole(), height = vectors.whole();
        mfn::Crop crop{};
        for (double* value : {&crop.x, &crop.y, &crop.side, &crop.roll}) *value = vectors.number();
        const Frame frame(width, height, n % 2 == 0);
        const auto sample = crop.sample(frame.upright(0));
        for (int y = 5; y < mfn::CROP_SIDE; y += 16)
            for (int x = 5; x < mfn::CROP_SIDE; x += 16)
                for (int c = 0; c < 3; ++c) vectors.expect(sample.at(x, y)[c], 2, 0);
    }
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 3) return std::fprintf(stderr, "usage: check vectors.txt landmarks.bin\n"), 2;
    std::ifstream file(arguments[2], std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    const auto model = mfn::LandmarkModel::read(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    try {
        Vectors vectors(arguments[1]);
        check_rotations(vectors);
        check_letterboxes(vectors);
        check_arkit(vectors);
        check_cases(vectors);
        check_refinements(vectors, model);
        check_pictures(vectors);
        return vectors.report() ? 0 : 1;
    } catch (const std::exception& error) {
        return std::fprintf(stderr, "%s\n", error.what()), 1;
    }
}
