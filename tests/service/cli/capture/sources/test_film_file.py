import shutil
import wave
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from service.cli.capture.sources.film_file import FilmFile
from service.cli.capture.sources.source import Position
from service.cli.capture.take import Timecode
from service.cli.video.frames import VideoError
from service.vision.image import Picture
from tests.service.cli.capture.films import picture, write_film

NTSC = Fraction(30000, 1001)
FACES = Path(__file__).resolve().parents[5] / "studio/film/faces.webm"
BLINKING = [picture((1, 1) if number % 2 else (4, 4)) for number in range(30)]


START = Position()


def read(path: Path, after: Position = START, side: int = 1000) -> list[tuple[float, Picture]]:
    with FilmFile(str(path)).frames(after) as frames:
        return [(frame.timestamp, frame.load(side)) for frame in frames]


def brightest(picture: Picture) -> tuple[int, int]:
    """Column and row of the cell that is white."""
    cells = picture.pixels[..., 1].reshape(6, 16, 6, 16).mean(axis=(1, 3))
    row, column = np.unravel_index(cells.argmax(), cells.shape)
    return int(column), int(row)


@pytest.mark.parametrize("rate", [Fraction(25), NTSC, Fraction(60)])
def test_every_frame_comes_at_its_time(tmp_path: Path, rate: Fraction) -> None:
    film = write_film(tmp_path / "film.mp4", BLINKING, rate)
    frames = read(film)
    np.testing.assert_allclose([time for time, _ in frames], np.arange(30) / float(rate), atol=1e-6)
    assert [brightest(shown) for _, shown in frames] == [(4, 4), (1, 1)] * 15
    source = FilmFile(str(film))
    assert (source.rates[0], source.expected, source.name) == (rate, 30, "film")


def test_reading_goes_on_after_any_frame(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", BLINKING)
    whole = read(film)
    for count in (1, 11, 12, 29, 30):
        rest = read(film, Position(count, whole[count - 1][0]))
        assert [time for time, _ in rest] == [time for time, _ in whole[count:]]


def test_reading_goes_on_within_a_film_of_the_studio() -> None:
    with FilmFile(str(FACES)).frames(Position()) as frames:
        times = [frame.timestamp for frame in frames]
    with FilmFile(str(FACES)).frames(Position(200, times[199])) as frames:
        assert [frame.timestamp for frame in frames] == times[200:]
    assert len(times) == 360


def test_times_of_a_variable_rate_are_the_files(tmp_path: Path) -> None:
    times = [0, 33, 66, 166, 200, 233]
    film = write_film(tmp_path / "phone.mkv", BLINKING[:6], times=times)
    assert [round(1000 * time) for time, _ in read(film)] == times


def test_the_ticks_of_a_browsers_recording_are_no_frame_rate(tmp_path: Path) -> None:
    """FFmpeg tells 1000 a second: keyframes would be 133 frames apart."""
    random = np.random.default_rng(1)
    times = np.cumsum(random.integers(21, 46, 60)).tolist()
    source = FilmFile(str(write_film(tmp_path / "recording.webm", BLINKING * 2, times=times)))
    assert max(source.rates) < 100


@pytest.mark.parametrize(("rotation", "cell"), [(90, (1, 4)), (180, (4, 4)), (270, (4, 1))])
def test_a_film_is_turned_as_its_metadata_says(tmp_path: Path, rotation: int, cell: tuple[int, int]) -> None:
    """A cell in the upper left, turned counter-clockwise, is in the lower left, the lower right, the upper right."""
    film = write_film(tmp_path / "film.mp4", [picture((1, 1))] * 3, rotation=rotation)
    assert [brightest(shown) for _, shown in read(film)] == [cell] * 3


def test_a_film_that_is_turned_sideways_is_as_high_as_it_was_wide(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", [np.zeros((48, 96, 3), np.uint8)] * 2, rotation=90)
    (_, shown), _ = read(film)
    assert (shown.width, shown.height, shown.pixels.shape) == (48, 96, (96, 48, 3))


@pytest.mark.parametrize(
    ("text", "rate", "expected"),
    [
        ("01:02:03:04", Fraction(25), Timecode((3600 + 120 + 3) * 25 + 4, Fraction(25))),
        ("01:00:00;00", NTSC, Timecode(107_892, NTSC, drop_frame=True)),
    ],
)
def test_the_timecode_is_that_of_the_films_track(tmp_path: Path, text: str, rate: Fraction, expected: Timecode) -> None:
    film = write_film(tmp_path / "film.mov", BLINKING[:3], rate, timecode=text)
    assert FilmFile(str(film)).timecode == expected


def test_a_film_without_a_timecode_has_none(tmp_path: Path) -> None:
    assert FilmFile(str(write_film(tmp_path / "film.mp4", BLINKING[:3]))).timecode is None


def test_sound_tracks_do_not_matter(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", BLINKING, sounds=2)
    assert len(read(film)) == 30


def test_a_film_of_one_frame(tmp_path: Path) -> None:
    assert len(read(write_film(tmp_path / "film.mp4", BLINKING[:1]))) == 1


def test_large_frames_are_reduced_as_far_as_asked(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", [picture((1, 1), side=960)])
    for side, pixels in ((1000, 960), (400, 960), (320, 320), (96, 96)):
        ((_, shown),) = read(film, side=side)
        assert (shown.width, shown.height, len(shown.pixels)) == (960, 960, pixels)


def test_a_film_without_pictures_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(8000))
    with pytest.raises(VideoError, match="no pictures, only sound"):
        FilmFile(str(path))


def test_a_film_cut_short_gives_what_there_is_and_tells(tmp_path: Path) -> None:
    film = tmp_path / "cut.webm"
    film.write_bytes(FACES.read_bytes()[:150_000])
    source = FilmFile(str(film))
    with source.frames(Position()) as frames:
        count = sum(1 for _ in frames)
    assert 100 < count < 300
    assert source.shortage is not None
    assert "breaks off at" in source.shortage
    assert "it announces 12.0 s" in source.shortage


def test_a_whole_film_lacks_nothing() -> None:
    source = FilmFile(str(FACES))
    with source.frames(Position()) as frames:
        assert sum(1 for _ in frames) == source.expected == 360
    assert source.shortage is None


@pytest.mark.parametrize("content", [b"", b"no film" * 100])
def test_what_is_no_film_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(content)
    with pytest.raises(VideoError, match=r"film\.mp4 cannot be read as a film"):
        FilmFile(str(path))


def test_an_mp4_without_its_end_is_refused(tmp_path: Path) -> None:
    whole = write_film(tmp_path / "film.mp4", BLINKING).read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(VideoError, match="its end, which some films need, is missing"):
        FilmFile(str(cut))


def test_a_film_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"nowhere\.mp4: No such file or directory"):
        FilmFile(str(tmp_path / "nowhere.mp4"))


def test_a_film_that_has_changed_is_another_one(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", BLINKING[:3])
    before = FilmFile(str(film)).identity
    write_film(film, BLINKING[:4])
    assert FilmFile(str(film)).identity != before
    shutil.copy(film, tmp_path / "copy.mp4")
    assert FilmFile(str(tmp_path / "copy.mp4")).identity != before


def test_a_film_whose_times_begin_late_is_whole(tmp_path: Path) -> None:
    """Matroska's length counts from 0."""
    film = write_film(tmp_path / "piece.mkv", BLINKING, times=[1_000_000 + 33 * number for number in range(30)])
    source = FilmFile(str(film))
    with source.frames(Position()) as frames:
        assert len(list(frames)) == 30
    assert source.shortage is None
