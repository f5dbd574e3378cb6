from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from service.cli.capture.stored_takes import OF_FRAMES, StoredTakes
from service.cli.capture.take import Take
from tests.service.cli.capture.formats import takes

REPEATED = 250  # times, so that there are several blocks of frames


def long(person: int) -> Take:
    take = takes.take()
    film = replace(take.film, timestamps=np.arange(len(take.film) * REPEATED) / float(take.film.timecode.rate))
    arrays: dict[str, Any] = {
        name: np.concatenate([getattr(take, name)] * REPEATED) for name in ("seen", "bridged", *OF_FRAMES)
    }
    return replace(take, film=film, person=person, **arrays)


def test_frames_are_read_as_they_were_stored(tmp_path: Path) -> None:
    first, second = long(1), replace(long(2), neutral=np.full(46, 0.25, np.float32), identity=np.zeros(50, np.float32))
    second.seen[takes.REST] = False
    with StoredTakes(tmp_path, first.film) as stored:
        stored.add(first)
        stored.add(second)
        assert len(stored) == 2
        for frame in (takes.NOD, 1023, 1024, len(first.film) - 1, takes.GLANCE):
            shown = stored.at(frame)
            assert shown.person.tolist() == [1, 2]
            for index, take in enumerate((first, second)):
                for name in OF_FRAMES:
                    np.testing.assert_array_equal(getattr(shown.faces, name)[index], getattr(take, name)[frame])
                np.testing.assert_array_equal(shown.faces.identity[index], take.identity)
            assert shown.neutral[0] is None
            np.testing.assert_array_equal(shown.neutral[1], second.neutral)
        assert stored.at(takes.REST).person.tolist() == [1]
        assert len(stored.at(takes.UNSEEN).faces) == 0
    assert not list(tmp_path.iterdir())
