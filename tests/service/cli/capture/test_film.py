from fractions import Fraction

import numpy as np

from service.cli.capture.film import film_of, holes, resampled
from service.cli.capture.take import Film, Timecode

NTSC = Fraction(30000, 1001)


def film(seconds: np.ndarray, *rates: Fraction, timecode: Timecode | None = None) -> Film:
    return film_of("film", (640, 480), seconds, rates, timecode)


def test_rounded_times_of_even_frames_become_exact() -> None:
    times = (5 + np.arange(1000) / float(NTSC)).round(3)
    even = film(times, NTSC)
    assert even.timecode == Timecode(0, NTSC)
    np.testing.assert_array_equal(even.timestamps, np.arange(1000) / float(NTSC))


def test_a_rate_that_the_file_tells_wrongly_is_found_from_the_times() -> None:
    assert film(np.arange(1000) / 25, Fraction(90)).timecode.rate == 25


def test_a_whole_hour_tells_30_from_29_97() -> None:
    times = (np.arange(107_892) / float(NTSC)).round(3)
    assert film(times, Fraction(30)).timecode.rate == NTSC


def test_times_of_a_variable_rate_stay_as_they_are() -> None:
    times = np.array([0.0, 0.033, 0.066, 0.166, 0.2, 0.233, 0.266, 0.3])
    varying = film(times, Fraction(30))
    np.testing.assert_array_equal(varying.timestamps, times)


def test_a_film_of_one_frame_has_the_rate_it_tells() -> None:
    assert film(np.array([7.0]), Fraction(24)).timecode.rate == 24
    assert film(np.array([7.0]), Fraction(24)).timestamps.tolist() == [0.0]


def test_pictures_are_missing_where_they_are_further_apart_than_usual_or_than_new_ones_are() -> None:
    times = np.array([0, 0.61, 1.22, 3.05])
    assert holes(times).tolist() == [False, False, True]
    assert holes(times, Fraction(30)).tolist() == [True, True, True]
    assert holes(times, Fraction(1)).tolist() == [False, False, False]
    assert holes(times[:1]).tolist() == []


def test_a_resampled_film_is_as_long_and_begins_at_the_same_moment() -> None:
    times = np.arange(91) / 30
    half = resampled(film(times, Fraction(30), timecode=Timecode(900, Fraction(30))), Fraction(15))
    assert half.timecode == Timecode(450, Fraction(15))
    np.testing.assert_allclose(half.timestamps, np.arange(46) / 15)


def test_a_resampled_film_is_drop_frame_only_where_the_rate_has_it() -> None:
    source = film(np.arange(10) / float(NTSC), NTSC, timecode=Timecode(107_892, NTSC, drop_frame=True))
    assert resampled(source, 2 * NTSC).timecode == Timecode(215_784, 2 * NTSC, drop_frame=True)
    assert resampled(source, Fraction(25)).timecode == Timecode(90_000, Fraction(25))  # 3599.996 s
