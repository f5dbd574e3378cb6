import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from service.errors import TOO_LARGE, RequestError
from service.inference.models import Network
from service.inference.options import RetargetOptions
from service.inference.pipeline import Pipeline
from service.vision.crops import crops_of
from service.vision.decoding import Level, build_priors, sigmoid
from service.vision.image import Picture, decode
from tests.service.tiny_models import EXPRESSION_LOGIT, IDENTITY, SFN_IDENTITY, encoded, in_int8


def test_the_bright_cell_is_the_face(pipeline: Pipeline, png: bytes) -> None:
    """The picture is twice the network's input: its bright cell has the centre (112, 48), the prior 64 x 64 pixels."""
    result = pipeline.retarget(png, RetargetOptions())
    assert (result.width, result.height) == (192, 192)
    (face,) = result.faces
    assert face.score == pytest.approx(1)
    np.testing.assert_allclose(face.box, [80, 16, 144, 80])
    np.testing.assert_allclose(face.quaternion, [0, 0, 0, 1])
    assert face.scale == pytest.approx(64 / 20)
    np.testing.assert_allclose(face.translation[:2], [16 / 3.2, 48 / 3.2], rtol=1e-5)
    np.testing.assert_array_equal(face.identity, in_int8(IDENTITY))
    np.testing.assert_allclose(face.expression, 1 / (1 + np.exp(-EXPRESSION_LOGIT)), rtol=1e-5)


def test_refinement_is_what_both_looks_say_but_for_box_and_score(pipeline: Pipeline, png: bytes) -> None:
    """0.15 of the first one's identity, and all of the second one's expression."""
    coarse = pipeline.retarget(png, RetargetOptions()).faces[0]
    fine = pipeline.retarget(png, RetargetOptions(refine=True)).faces[0]
    np.testing.assert_array_equal(fine.box, coarse.box)
    assert fine.score == coarse.score
    np.testing.assert_allclose(fine.identity, 0.15 * in_int8(IDENTITY) + 0.85 * in_int8(SFN_IDENTITY), rtol=1e-6)
    np.testing.assert_allclose(fine.expression, sigmoid(EXPRESSION_LOGIT), rtol=1e-5)
    assert fine.scale != coarse.scale


@pytest.mark.parametrize("refine", [False, True])
def test_a_picture_without_faces(pipeline: Pipeline, refine: bool) -> None:
    result = pipeline.retarget(encoded(Image.new("RGB", (30, 20)), "PNG"), RetargetOptions(refine=refine))
    assert (len(result.faces), result.width, result.height) == (0, 30, 20)


@pytest.mark.parametrize(("side", "count"), [(17, 0), (18, 1)])
def test_a_face_has_at_least_six_pixels(pipeline: Pipeline, side: int, count: int) -> None:
    """The prior of 32 of 96 pixels is a third of the picture."""
    square = np.full((96, 96, 3), 20, np.uint8)
    square[32:48, 32:48] = 255
    picture = Picture(square, side, side)  # as if decoded larger, so that one cell is exactly bright
    assert len(pipeline.retarget_picture(picture, RetargetOptions()).faces) == count


def test_options_bound_what_is_found(pipeline: Pipeline) -> None:
    pixels = np.full((96, 96, 3), 20, np.uint8)
    for i, brightness in enumerate((255, 201, 230)):  # logits 55, 1, 30
        pixels[16:32, 32 * i : 32 * i + 16] = brightness
    picture = Picture(pixels, 96, 96)
    scores = pipeline.retarget_picture(picture, RetargetOptions()).faces.score
    np.testing.assert_allclose(scores, [1, 1, 0.731], atol=1e-3)
    assert len(pipeline.retarget_picture(picture, RetargetOptions(max_faces=2)).faces) == 2
    assert len(pipeline.retarget_picture(picture, RetargetOptions(min_score=0.8)).faces) == 2


def test_overlapping_faces_are_one(pipeline: Pipeline) -> None:
    """Neighbouring cells' priors overlap by a third: beyond the setting, one of them stays."""
    pixels = np.full((96, 96, 3), 20, np.uint8)
    pixels[16:32, 16:32], pixels[16:32, 32:48] = 240, 250
    picture = Picture(pixels, 96, 96)
    strict = Pipeline(pipeline.models, replace(pipeline.settings, nms_iou=0.3))
    assert len(strict.retarget_picture(picture, RetargetOptions()).faces) == 1
    # scores that round to 1 both: the mean of the cells' priors, 16 pixels apart
    assert strict.retarget_picture(picture, RetargetOptions()).faces[0].box.tolist() == [16, 8, 48, 40]
    loose = Pipeline(pipeline.models, replace(pipeline.settings, nms_iou=0.4))
    assert len(loose.retarget_picture(picture, RetargetOptions()).faces) == 2


def test_a_face_does_not_hang_on_the_score_asked_for(pipeline: Pipeline) -> None:
    """The neighbour's 0.731 is below what is asked for and counts all the same, squared for the box."""
    pixels = np.full((96, 96, 3), 20, np.uint8)
    pixels[16:32, 16:32], pixels[16:32, 32:48] = 201, 255
    picture = Picture(pixels, 96, 96)
    strict = Pipeline(pipeline.models, replace(pipeline.settings, nms_iou=0.3))
    high, low = (strict.retarget_picture(picture, RetargetOptions(min_score=score)).faces for score in (0.9, 0.5))
    np.testing.assert_array_equal(high.box, low.box)
    assert high.box[0, 0] == pytest.approx(24 - 16 * 0.731**2 / (1 + 0.731**2), abs=0.01)


def test_depth_follows_the_field_of_view(pipeline: Pipeline, png: bytes) -> None:
    right_angle = Pipeline(pipeline.models, replace(pipeline.settings, field_of_view=90.0))
    assert right_angle.retarget(png, RetargetOptions()).faces[0].translation[2] == pytest.approx(-96 / 3.2)


def test_too_many_bytes_are_refused(pipeline: Pipeline) -> None:
    with pytest.raises(RequestError) as refused:
        pipeline.retarget(bytes(pipeline.settings.max_bytes + 1), RetargetOptions())
    assert refused.value.kind is TOO_LARGE


def test_every_step_is_timed(pipeline: Pipeline, png: bytes) -> None:
    timing = pipeline.retarget(png, RetargetOptions(refine=True), queue_ms=12.5).timing
    assert timing.queue == 12.5
    assert all(ms > 0 for ms in vars(timing).values())


def test_threads_share_a_pipeline(pipeline: Pipeline, photo: Image.Image) -> None:
    """Each gets the answer to its own picture."""
    turned = [encoded(photo.rotate(angle), "PNG") for angle in (0, 90, 180, 270)]
    alone = [pipeline.retarget(data, RetargetOptions(refine=True)).faces.box for data in turned]
    with ThreadPoolExecutor(4) as threads:
        for _ in range(5):
            together = threads.map(lambda data: pipeline.retarget(data, RetargetOptions(refine=True)).faces.box, turned)
            np.testing.assert_array_equal(list(together), alone)


def small_square(x: int) -> Picture:
    """192 x 192 with a bright square of 14 at (x, 83): a fifth of a cell of the whole picture, which is 32 pixels wide.
    Cut into three, it has tiles of 77 pixels at 0, 58 and 115 with cells of 12.83."""
    pixels = np.full((192, 192, 3), 20, np.uint8)
    pixels[83:97, x : x + 14] = 255
    return Picture(pixels, 192, 192)


def test_tiles_show_what_is_too_small_in_the_whole_picture(pipeline: Pipeline) -> None:
    """The square is cell 2, across and down, of the tile in the middle; the prior is a third of the tile."""
    picture = small_square(83)
    assert len(pipeline.retarget_picture(picture, RetargetOptions()).faces) == 0
    (face,) = pipeline.retarget_picture(picture, RetargetOptions(tiles=3)).faces
    centre, size = 58 + 2.5 * 77 / 6, 77 / 3
    np.testing.assert_allclose(face.box, [centre - size / 2] * 2 + [centre + size / 2] * 2, rtol=1e-5)
    assert face.scale == pytest.approx(size / 20, rel=1e-5)
    np.testing.assert_allclose(face.translation[:2] * face.scale, [centre - 96, 96 - centre], rtol=1e-4)


@pytest.mark.parametrize(("x", "count"), [(57, 0), (0, 1)])
def test_a_face_that_a_tile_cuts_does_not_count(pipeline: Pipeline, x: int, count: int) -> None:
    """Both lie in a tile's first column of cells; only the second's cut is the picture's own edge."""
    assert len(pipeline.retarget_picture(small_square(x), RetargetOptions(tiles=3)).faces) == count


def test_coordinates_are_of_the_picture_as_sent(pipeline: Pipeline) -> None:
    """A picture that was decoded at half its size has its faces at twice the place."""
    small = small_square(83)
    (face,) = pipeline.retarget_picture(small, RetargetOptions(tiles=3)).faces
    (large,) = pipeline.retarget_picture(Picture(small.pixels, 384, 384), RetargetOptions(tiles=3)).faces
    np.testing.assert_allclose(large.box, 2 * face.box, rtol=1e-5)
    assert large.scale == pytest.approx(2 * face.scale)
    np.testing.assert_allclose(large.translation[:2], face.translation[:2], rtol=1e-4)


class Source:
    """A picture of 6000 x 6000 with one face of 2000, or one without a face; the sides that it was asked for."""

    def __init__(self, face: bool = True, smallest: int = 96) -> None:
        self.asked: list[int] = []
        self.square = np.full((6, 6, 3), 20, np.uint8)
        self.square[2, 3] = 255 if face else 20
        self.smallest = smallest

    def __call__(self, side: int) -> Picture:
        """What is made larger by whole factors of 96 has the same cells bright."""
        self.asked.append(side)
        times = 16 * -(-max(side, self.smallest) // 96)
        return Picture(self.square.repeat(times, axis=0).repeat(times, axis=1), 6000, 6000)


def test_a_larger_input_shows_smaller_faces(pipeline: Pipeline) -> None:
    """A square of 16 pixels is a quarter of a cell at 96, and at 192 a cell, whose prior is a sixth of the picture."""
    pixels = np.full((192, 192, 3), 20, np.uint8)
    pixels[96:112, 80:96] = 255
    picture = Picture(pixels, 192, 192)
    assert len(pipeline.retarget_picture(picture, RetargetOptions()).faces) == 0
    assert len(pipeline.retarget_picture(picture, RetargetOptions(input_size=96)).faces) == 0
    (face,) = pipeline.retarget_picture(picture, RetargetOptions(input_size=192)).faces
    np.testing.assert_allclose(face.box, [72, 88, 104, 120], rtol=1e-5)
    assert face.scale == pytest.approx(32 / 20, rel=1e-5)


class SizedNetwork:
    """Of a picture with one face of half its side it says, at 288 pixels, where the face is; at 576, where it is too
    large, that the face is a part of itself, and more surely so. sides: of the squares that it was shown."""

    def __init__(self, part: float) -> None:
        """part: of the face's height that it sees at 576, about the same centre."""
        self.part = part
        self.sides: list[int] = []

    def run(self, images: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        side = images.shape[1]
        self.sides.append(side)
        count = (side // 96) ** 2
        raw = {"detection": 5, "pose": 7, "identity": 50, "expression": 46}
        outputs = {name: np.zeros((1, count, columns), np.float32) for name, columns in raw.items()}
        seen = side / 2 * (self.part if side == 576 else 1.0)
        middle = count // 2 if side == 288 else count // 2 + side // 96 // 2  # at 576: right of and below the centre
        shift = 0.0 if side == 288 else -0.5
        outputs["detection"][..., 4] = -20
        outputs["detection"][0, middle] = [shift, shift, *[np.log(seen / 96)] * 2, 2.0 if side == 288 else 3.0]
        outputs["identity"][0, middle] = side
        return outputs


def sized(pipeline: Pipeline, network: SizedNetwork) -> Pipeline:
    priors = {side: build_priors([Level(96, ((96.0, 96.0),))], side) for side in (288, 576)}
    return Pipeline(replace(pipeline.models, side=288, priors=priors, mfn=cast(Network, network)), pipeline.settings)


GREY = Picture(np.full((400, 400, 3), 99, np.uint8), 400, 400)


def test_a_larger_input_does_not_lose_large_faces(pipeline: Pipeline) -> None:
    """The face has 200 pixels of the picture's 400: 288 of 576, where the network takes most of it for the face."""
    network = SizedNetwork(part=0.9)
    (face,) = sized(pipeline, network).retarget_picture(GREY, RetargetOptions(input_size=576)).faces
    assert network.sides == [576, 288]
    np.testing.assert_allclose(face.box, [100, 100, 300, 300], atol=0.01)
    np.testing.assert_array_equal(face.identity, 288)


def test_both_inputs_say_what_a_face_is_that_both_know(pipeline: Pipeline) -> None:
    """0.8 of the face are 230 pixels at 576: one face, the mean of both by their scores, 0.953 and 0.881, whose squares
    count for the box."""
    network = SizedNetwork(part=0.8)
    (face,) = sized(pipeline, network).retarget_picture(GREY, RetargetOptions(input_size=576)).faces
    better, worse = 1 / (1 + np.exp(-3)), 1 / (1 + np.exp(-2))
    share, box_share = better / (better + worse), better**2 / (better**2 + worse**2)
    half = 100 * (0.8 * box_share + 1 - box_share)
    np.testing.assert_allclose(face.box, [200 - half, 200 - half, 200 + half, 200 + half], atol=0.01)
    np.testing.assert_allclose(face.identity, 576 * share + 288 * (1 - share), rtol=1e-5)
    assert face.score == pytest.approx(better)


@pytest.mark.parametrize(
    ("options", "sides"),
    [
        (RetargetOptions(), [96, 96]), (RetargetOptions(tiles=2), [96] * 6),
        (RetargetOptions(input_size=192), [192, 96, 96]),
        (RetargetOptions(input_size=192, tiles=2), [192] * 5 + [96] * 2),
    ],
)  # fmt: skip
def test_where_nobody_is_found_the_smallest_input_is_turned(
    pipeline: Pipeline, options: RetargetOptions, sides: list[int]
) -> None:
    inferred: list[int] = []

    def run(images: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        inferred.append(images.shape[1])
        return pipeline.models.mfn.run(images)

    counting = replace(pipeline.models, mfn=cast(Network, SimpleNamespace(run=run)))
    assert Pipeline(counting, pipeline.settings).detect(GREY, options).inferences == len(sides)
    assert inferred == sides


@pytest.mark.parametrize(
    ("options", "sides"),
    [
        (RetargetOptions(), [288]), (RetargetOptions(input_size=288), [288]), (RetargetOptions(tiles=2), [288] * 5),
        (RetargetOptions(input_size=576, tiles=2), [576] * 5 + [288]),
    ],
)  # fmt: skip
def test_only_a_larger_input_is_one_of_two(pipeline: Pipeline, options: RetargetOptions, sides: list[int]) -> None:
    network = SizedNetwork(part=0.9)
    faces = sized(pipeline, network).retarget_picture(GREY, options).faces
    assert network.sides == sides
    assert any(np.allclose(face.box, [100, 100, 300, 300], atol=0.01) for face in faces)


def test_an_input_size_that_is_not_offered(pipeline: Pipeline) -> None:
    with pytest.raises(RequestError, match="The parameter input_size is 100; expected 96 or 192"):
        pipeline.retarget_source(Source(), RetargetOptions(input_size=100))


@pytest.mark.parametrize(
    ("options", "side"),
    [
        (RetargetOptions(), 96), (RetargetOptions(tiles=4), 384), (RetargetOptions(input_size=192), 192),
        (RetargetOptions(tiles=2, input_size=192), 384), (RetargetOptions(refine=True), 480),
    ],
)  # fmt: skip
def test_pictures_are_decoded_with_pixels_enough_to_find_faces(
    pipeline: Pipeline, options: RetargetOptions, side: int
) -> None:
    source = Source()
    assert len(pipeline.retarget_source(source, options).faces) > 0
    assert source.asked == [side]


def test_a_second_look_has_the_pixels_that_the_smallest_face_needs(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.inference.pipeline.FIRST_REFINE_SIDE", 96)
    source = Source()
    found = pipeline.retarget_source(Source(), RetargetOptions())
    (crop,) = crops_of(found.faces, pipeline.models.face_model, 6000, 6000, pipeline.models.crop_factor)
    fine = pipeline.retarget_source(source, RetargetOptions(refine=True))
    assert source.asked == [96, math.ceil(6000 * 96 / crop.side)]
    np.testing.assert_array_equal(fine.faces.box, found.faces.box)
    assert fine.timing.decode > 0


def test_a_second_look_decodes_nothing_that_is_there_or_needed_by_nobody(pipeline: Pipeline) -> None:
    for source in (Source(face=False), Source(smallest=2048)):
        pipeline.retarget_source(source, RetargetOptions(refine=True))
        assert source.asked == [480]


def test_a_second_look_asks_for_no_more_than_there_is(pipeline: Pipeline, png: bytes) -> None:
    """192 pixels, of which the face has 64: fewer than its crop, which is enlarged."""
    asked = []

    def source(side: int) -> Picture:
        asked.append(side)
        return decode(png, side, 1.0)

    assert len(pipeline.retarget_source(source, RetargetOptions(refine=True)).faces) == 1
    assert asked == [480]  # a PNG is decoded whole at once
