"""What the networks find in the frames: several frames at the same time, results in order."""

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from service.cli.capture.records import Record, rows_of
from service.cli.capture.sources.source import SourceFrame
from service.inference.options import RetargetOptions
from service.inference.pipeline import Pipeline
from service.vision.image import LazyImage

AHEAD: Final = 2  # frames that are decoded already when a thread comes free

Found = Future[Record]


def infer(
    frames: Iterator[SourceFrame],
    pipeline: Pipeline,
    options: RetargetOptions,
    threads: int,
    search_every: int,
    first: int = 0,
    turn: int = 0,
) -> Generator[Record]:
    """The records of frames, in order; in `threads` threads, of which each runs the networks on a frame of its own.

    Every search_every frames one is searched for another turn of the picture, see service.vision.turns, and the frames
    up to the next one keep it: what is found does not depend on which thread is faster, or where a capture goes on.
    first: the number of the first frame, from 0. turn: of the frame before it. Raises what decoding raises.
    """

    def look(frame: SourceFrame, before: Found | None, search: bool) -> Record:
        """before: of the frame that tells the turn, given to the threads earlier, so that waiting for it ends."""
        last = turn if before is None else before.result().turn
        decoded = LazyImage(frame.load)
        picture = decoded.at_least(pipeline.models.input_size(options.input_size))
        detected = pipeline.detect(picture, options, last, search)
        faces = pipeline.refine(detected.faces, decoded)[0] if options.refine else detected.faces
        # A turn that shows nobody is not kept: who comes next is upright most likely.
        kept = (detected.turn if len(faces) else 0) if search else last
        return Record(frame.timestamp, picture.width, picture.height, kept, rows_of(faces))

    pool = ThreadPoolExecutor(threads, "capture")
    under_way: deque[Found] = deque()
    searched: Found | None = None
    try:
        for number, frame in enumerate(frames, first):
            search = number % search_every == 0
            found = pool.submit(look, frame, searched, search)
            if search:
                searched = found
            under_way.append(found)
            if len(under_way) >= threads + AHEAD:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
