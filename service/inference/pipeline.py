"""The pipeline of a picture: bytes to RGB, to the network's input, to candidates, to faces, to refined faces."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial, reduce
from itertools import pairwise
from operator import add
from time import perf_counter
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from service.errors import too_many_bytes
from service.inference.models import Models
from service.inference.options import RetargetOptions
from service.settings import Settings
from service.vision.crops import LEAST_CROP_PIXELS, crops_of, samples, side_for
from service.vision.decoding import Candidates, detect
from service.vision.decoding import decode as decode_candidates
from service.vision.faces import Faces, to_image_space
from service.vision.image import ImageLoader, LazyImage, Picture
from service.vision.image import decode as decode_picture
from service.vision.mirroring import is_turned, mirror_partners, run_with_mirror
from service.vision.nms import suppress
from service.vision.refinement import apply_refinement, blend_estimates
from service.vision.tiling import Tile, concat_candidates
from service.vision.turns import MIN_VOTE_SCORE, best_score, next_turn, turn_boxes_back, turn_poses_back, turn_square
from service.vision.voting import VOTE_SCORE_RATIO, vote

# Pixels of the longer side that pictures are decoded to at most for refinement: crops of 5 % of it have the pixels that
# they need.
REFINE_SIDE: Final = 2048
# The same before the faces are known: crops of a fifth of it have the pixels they need. To decode a JPEG once, for both
# networks, takes less time than twice, since most of it is spent on reading all coefficients each time.
FIRST_REFINE_SIDE: Final = 5 * LEAST_CROP_PIXELS
# Least side of a face's box in pixels of the picture, not of the network's input, to which even a picture of 1 x 1 is
# enlarged. Fewer pixels cannot show a face, whatever the network detects in the blur.
MIN_FACE_PIXELS: Final = 6


@dataclass(frozen=True)
class Timing:
    """Milliseconds that each step took.

    decode: of the picture. preprocess: making the networks' inputs. queue: waiting before the first step. inference:
    runs of the Multiple Face Network. refine: runs of the Single Face Network. postprocess: networks' outputs to faces.
    """

    decode: float = 0.0
    preprocess: float = 0.0
    queue: float = 0.0
    inference: float = 0.0
    refine: float = 0.0
    postprocess: float = 0.0

    @classmethod
    def of_steps(cls, times: Sequence[float]) -> Self:
        """The timing of four points in time, seconds: before preprocessing, before and after inference, at the end."""
        preprocess, inference, postprocess = ((end - start) * 1e3 for start, end in pairwise(times))
        return cls(preprocess=preprocess, inference=inference, postprocess=postprocess)

    def __add__(self, other: "Timing") -> "Timing":
        return Timing(*map(add, vars(self).values(), vars(other).values()))


@dataclass(frozen=True)
class RetargetResult:
    """The faces of a picture of width x height pixels, after its EXIF orientation, and how long each step took."""

    faces: Faces
    width: int
    height: int
    timing: Timing


@dataclass(frozen=True)
class Detected:
    """The faces that were detected in a picture, and how long it took.

    turn: of the network's input, in which they were found, see service.vision.turns. inferences: of the network.
    """

    faces: Faces
    timing: Timing
    turn: int
    inferences: int


class Pipeline:
    """Detects and describes the faces of pictures. It holds no state between pictures, so threads may share it."""

    def __init__(self, models: Models, settings: Settings | None = None) -> None:
        self.models = models
        self.settings = settings or Settings()

    def retarget(self, data: bytes, options: RetargetOptions, queue_ms: float = 0.0) -> RetargetResult:
        """The faces in an encoded picture. queue_ms: milliseconds that it has waited, for the timing.

        Raises RequestError where the picture cannot be decoded or is too large.
        """
        if len(data) > self.settings.max_bytes:
            raise too_many_bytes(self.settings.max_bytes)
        return self.retarget_source(
            partial(decode_picture, data, max_megapixels=self.settings.max_megapixels), options, queue_ms
        )

    def retarget_picture(self, picture: Picture, options: RetargetOptions) -> RetargetResult:
        """The faces in a decoded picture."""
        return self.retarget_source(lambda _: picture, options)

    def retarget_source(self, source: ImageLoader, options: RetargetOptions, queue_ms: float = 0.0) -> RetargetResult:
        """The faces in a picture that is decoded on demand: as large as detection and the refinement of most faces need
        it, then once more where a small face needs it larger.

        queue_ms: milliseconds that it has waited, for the timing. Raises RequestError BAD_PARAMETER where the network
        does not accept the input size, and what the source raises.
        """
        decoded = LazyImage(source)
        side = options.tiles * self.models.input_size(options.input_size)
        picture = decoded.at_least(max(side, FIRST_REFINE_SIDE) if options.refine else side)
        detected = self.detect(picture, options)
        faces, timing = detected.faces, detected.timing
        if options.refine:
            faces, refinement = self.refine(faces, decoded)
            timing += refinement
        timing = replace(timing, decode=decoded.milliseconds, queue=queue_ms)
        return RetargetResult(faces, picture.width, picture.height, timing)

    def detect(self, picture: Picture, options: RetargetOptions, turn: int = 0, search: bool = True) -> Detected:
        """The faces that the Multiple Face Network detects in a picture.

        turn: that the network's input is turned by at first, see service.vision.turns. search: whether another turn is
        tried where the faces of the whole picture call for it. Raises RequestError BAD_PARAMETER where the network does
        not accept the input size.
        """
        side = self.models.input_size(options.input_size)
        tiles = Tile.of(picture, side, options.tiles, self.models.side)
        # Faces and turn must not depend on the requested score, so candidates below it still vote.
        least = min(VOTE_SCORE_RATIO * options.min_score, MIN_VOTE_SCORE)
        detect_in = partial(self._detect_in_tile, picture=picture, min_score=least)
        results = [detect_in(tile, turn=turn) for tile in tiles]
        inferences = len(tiles)
        timing = reduce(add, (tile_timing for _, tile_timing in results))
        found = [candidates for candidates, _ in results]
        if search and (other := next_turn(found, turn, self.models.upside_down)) != turn:
            # The tile that shows its faces best decides, where none shows any the smallest input, which takes the least
            # time. The others are inferred again only where they must.
            scores = [best_score(candidates) for candidates in found]
            best = max(range(len(tiles)), key=lambda i: (scores[i], -tiles[i].letterbox.side))
            turned, turned_timing = detect_in(tiles[best], turn=other)
            timing += turned_timing
            inferences += 1
            if best_score(turned) > scores[best]:
                turn = other
                results = [
                    (turned, Timing()) if i == best else detect_in(tile, turn=turn) for i, tile in enumerate(tiles)
                ]
                timing += sum((tile_timing for _, tile_timing in results), Timing())
                inferences += len(tiles) - 1
        start = perf_counter()
        candidates = concat_candidates([tile_candidates for tile_candidates, _ in results])
        eligible = int(np.count_nonzero(candidates.score >= options.min_score))
        if not eligible:
            return Detected(Faces.none(), timing, turn, inferences)
        groups = suppress(candidates.box, self.settings.nms_iou, options.max_faces, eligible)
        faces = to_image_space(vote(candidates, groups), tiles[0].whole, self.settings.field_of_view)
        sides = faces.box[:, 2:] - faces.box[:, :2]
        if not sides.min() >= MIN_FACE_PIXELS:  # also where one is not a number
            faces = faces.take(np.flatnonzero((sides >= MIN_FACE_PIXELS).all(axis=1)))
        return Detected(faces, timing + Timing(postprocess=(perf_counter() - start) * 1e3), turn, inferences)

    def _detect_in_tile(self, tile: Tile, picture: Picture, min_score: float, turn: int) -> tuple[Candidates, Timing]:
        """The candidates in one tile, in the square of the whole picture."""
        models, side = self.models, tile.letterbox.side
        priors = models.priors[side]
        times = [perf_counter()]
        square = turn_square(tile.square(picture), turn)
        times.append(perf_counter())
        raw = models.mfn.run(square[None])
        times.append(perf_counter())
        detections = turn_boxes_back(detect(raw["detection"], priors, min_score), side, turn)
        detections = tile.drop_cut_boxes(detections)
        candidates = tile.to_whole(turn_poses_back(decode_candidates(raw, priors, detections), side, turn))
        times.append(perf_counter())
        return candidates, Timing.of_steps(times)

    def refine(self, faces: Faces, decoded: LazyImage) -> tuple[Faces, Timing]:
        """Refines the faces detected in a picture: blends both networks' estimates. Timing as in refine_faces."""
        refined, timing = self.refine_faces(faces, decoded)
        return blend_estimates(faces, refined), timing

    @cached_property
    def _expression_partners(self) -> NDArray[np.intp]:
        return mirror_partners(self.models.face_model.expression_names)

    def refine_faces(self, faces: Faces, decoded: LazyImage) -> tuple[Faces, Timing]:
        """The Single Face Network's estimates alone, without a blend; boxes and scores stay.

        faces: detected in this picture or in a frame shortly before it. The picture is decoded as large as the smallest
        of them needs; the time for that is not in the timing.
        """
        if not len(faces):
            return faces, Timing()
        models, picture = self.models, decoded.picture
        width, height = picture.width, picture.height
        start = perf_counter()
        crops = crops_of(faces, models.face_model, width, height, models.crop_factor)
        crop_seconds = perf_counter() - start
        picture = decoded.at_least(min(side_for(crops, width, height), REFINE_SIDE))
        times = [perf_counter() - crop_seconds]
        squares = samples(crops, picture)
        times.append(perf_counter())
        raw = run_with_mirror(models.sfn.run, squares, is_turned(faces.quaternion), self._expression_partners)
        times.append(perf_counter())
        faces = apply_refinement(faces, crops, raw, width, height, self.settings.field_of_view)
        times.append(perf_counter())
        timing = Timing.of_steps(times)
        return faces, replace(timing, inference=0.0, refine=timing.inference)
