"""What the networks find in the frames: several frames at the same time, results in order."""

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import Final, TypeVar

from service.cli.capture.keyframes import Interval, Keyframe, search_frame
from service.cli.capture.records import Record
from service.cli.capture.sources.source import SourceFrame
from service.inference.options import RetargetOptions
from service.inference.pipeline import Pipeline

AHEAD: Final = 1  # parts of the film that are decoded already when a thread comes free

T = TypeVar("T")


def infer(
    frames: Iterator[SourceFrame],
    pipeline: Pipeline,
    options: RetargetOptions,
    threads: int,
    key_every: int,
    search_every: int,
    first: int = 0,
    turn: int = 0,
) -> Generator[Record]:
    """The records of frames, in order; each of `threads` threads works on the frames up to a keyframe.

    Every key_every frames, and at the end, there is a keyframe. Every search_every frames, a multiple of that, it is
    searched for another turn of the picture, see service.vision.turns, and the frames up to the next one keep it. What
    is found does not depend on which thread is faster, nor on where a capture goes on, if it does at a keyframe. first:
    the number of the first frame, from 0. turn: of the frame before it. Raises what decoding raises, after the records
    before it.
    """

    def look(
        part: Sequence[SourceFrame],
        search_turns: bool,
        before: Future[Keyframe] | None,
        turned: Future[Keyframe] | None,
        found: Future[Keyframe],
    ) -> list[Future[Record]]:
        """What is found in the frames of a part, of which the last is the keyframe `found`.

        before, turned: the last keyframe, and the last one that was searched for another turn. Threads were given them
        earlier, and begin with them, so that waiting for them ends.
        """
        *between, last = part

        def known() -> int:
            return turn if turned is None else turned.result().record.turn

        # Settled whatever is raised, since later parts wait for it.
        _settle(found, lambda: search_frame(last, pipeline, options, known(), search_turns))
        interval = None
        if before is not None and found.exception() is None:
            interval = Interval.between(before.result(), found.result(), pipeline.settings.nms_iou)

        def record(frame: SourceFrame) -> Record:
            followed = interval.look(frame, pipeline) if interval else None
            return followed or search_frame(frame, pipeline, options, known(), search_turns=False).record

        records = [_settle(Future(), partial(record, frame)) for frame in between]
        return [*records, _settle(Future(), lambda: found.result().record)]

    pool = ThreadPoolExecutor(threads, "capture")
    under_way: deque[Future[list[Future[Record]]]] = deque()
    before: Future[Keyframe] | None = None
    turned: Future[Keyframe] | None = None
    number, problem = first, None
    try:
        while problem is None:
            part: list[SourceFrame] = []
            try:
                part.extend(islice(frames, -number % key_every + 1))
            except Exception as error:  # what has been read before is looked at all the same
                problem = error
            if not part:
                break
            number += len(part)
            found: Future[Keyframe] = Future()
            search_turns = (number - 1) % search_every == 0
            under_way.append(pool.submit(look, part, search_turns, before, turned, found))
            before, turned = found, found if search_turns else turned
            if len(under_way) > threads + AHEAD:
                yield from (record.result() for record in under_way.popleft().result())
        while under_way:
            yield from (record.result() for record in under_way.popleft().result())
        if problem is not None:
            raise problem
    finally:
        pool.shutdown(cancel_futures=True)


def _settle(future: Future[T], work: Callable[[], T]) -> Future[T]:
    """Calls `work`, and gives the future what it returns or raises."""
    try:
        future.set_result(work())
    except Exception as error:
        future.set_exception(error)
    return future
