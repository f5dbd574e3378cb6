"""People keep their number, colour and character over a short absence."""

import pytest

from studio.film.camera import pictures
from studio.film.motion import FRAMES_PER_SECOND
from studio.film.video import encode
from tests.studio.browser.conftest import STUDIO, OpenStudio

AWAY = range(45, 90)  # frames in which the face at the right is not there: one and a half seconds
LENGTH = 150
CHIPS = """() => [...document.querySelectorAll(".chip")].map((chip) => [
    chip.querySelector(".number").textContent, chip.style.getPropertyValue("--person"), chip.textContent,
])"""


@pytest.fixture(scope="module")
def film_with_absence(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The film's first seconds, in which one of the two goes and comes back."""
    film = tmp_path_factory.mktemp("films") / "absence.webm"
    steps = []
    for number, picture in zip(range(LENGTH), pictures(STUDIO / "film" / "faces.webm"), strict=False):
        small = picture[::2, ::2].copy()
        if number in AWAY:
            small[:, 160:] = small[:1, 160:]  # the wall
        steps.append(small)
    encode(film, steps, FRAMES_PER_SECOND)
    return film.read_bytes()


def test_who_is_away_for_less_than_two_seconds_keeps_number_and_colour(
    open_studio: OpenStudio, film_with_absence: bytes
) -> None:
    tab = open_studio("?characters=human,dragon,cat")
    tab.moving()
    tab.notice("There is no character dragon")
    from_right = tab.page.evaluate("mfnStudio.states.map(({ person }) => person)")  # of the mirror, left of the picture
    assert from_right == [2, 1]
    tab.drop("absence.webm", film_with_absence, "video/webm")
    tab.wait("() => mfnStudio.source === 'video'")
    tab.sees(2)
    before = tab.page.evaluate(CHIPS)
    for _ in range(2):
        tab.sees(1)
        tab.sees(2)
        assert tab.page.evaluate(CHIPS) == before
