"""Verdicts on coefficients, from two references of which each knows some."""

import numpy as np
import pytest

from service.vision.arkit import ARKIT_NAMES, NEVER_OBSERVED
from training.evaluation.coefficients import VERDICTS, agreement, coefficients_table, of_both_sides, verdict

NOTHING = (float("nan"), float("nan"))
SMILE, LOOK = ARKIT_NAMES.index("mouthSmileLeft"), ARKIT_NAMES.index("eyeLookUpLeft")


@pytest.mark.parametrize(
    ("rendered", "photos", "expected"),
    [
        ((0.5, 0.1), (0.7, 0.5), "rely"),  # just so
        ((0.5, 0.1), (0.69, 0.5), "coarse"),
        ((0.5, 0.1), (0.9, 0.49), "coarse"),  # follows, but mutedly
        ((0.29, 1.0), (0.9, 1.0), "coarse"),  # rendered faces deny it
        (NOTHING, (0.9, 1.0), "coarse"),  # or say nothing
        ((0.9, 1.0), (0.4, 0.25), "coarse"),
        ((0.9, 1.0), (0.39, 1.0), "do not rely"),  # photos decide where they can
        ((0.9, 1.0), NOTHING, "coarse"),  # no photo confirms it
        ((0.39, 1.0), NOTHING, "do not rely"),
        ((0.9, 0.24), NOTHING, "do not rely"),
        (NOTHING, NOTHING, "do not rely"),
    ],
)
def test_verdicts_by_hand(rendered: tuple[float, float], photos: tuple[float, float], expected: str) -> None:
    assert verdict("jawOpen", rendered, photos) == expected


def test_what_is_never_observed_stays_so() -> None:
    for name in NEVER_OBSERVED:
        assert verdict(name, (1, 1), (1, 1)) == "unobserved"


def test_an_agreement_tells_correlation_and_spread_of_what_moves() -> None:
    truth = np.zeros((5, 52))
    truth[:, SMILE] = [0, 0.25, 0.5, 0.75, 1]
    truth[:, LOOK] = [0, 1, np.nan, np.nan, 1]
    ours = np.full((5, 52), 0.5)
    ours[:, SMILE] = 0.5 * truth[:, SMILE] + 0.1
    ours[:, LOOK] = [0.2, 0.4, 0.9, 0.0, 0.4]
    told = agreement(ours, truth)
    assert told.faces == 5
    assert (told.correlation[SMILE], told.spread[SMILE]) == pytest.approx((1, 0.5))
    assert (told.correlation[LOOK], told.spread[LOOK]) == pytest.approx((1, 0.2))
    still = np.delete(np.arange(52), [SMILE, LOOK])
    assert np.isnan(told.correlation[still]).all()
    assert np.isnan(told.spread[still]).all()


def test_sides_are_judged_together() -> None:
    values = np.full(52, np.nan)
    at = {name: i for i, name in enumerate(ARKIT_NAMES)}
    values[[at["noseSneerLeft"], at["noseSneerRight"], at["jawLeft"], at["jawOpen"]]] = [0.3, 0.5, 0.6, 0.7]
    mean = of_both_sides(values)
    assert mean[at["noseSneerLeft"]] == mean[at["noseSneerRight"]] == pytest.approx(0.4)
    assert mean[at["jawLeft"]] == mean[at["jawRight"]] == 0.6
    assert mean[at["jawOpen"]] == 0.7
    assert np.isnan(mean[at["mouthClose"]])


def test_the_table_has_a_row_for_each_of_the_52() -> None:
    truth = np.random.default_rng(0).uniform(size=(40, 52))
    same = agreement(truth, truth)
    text = coefficients_table(same, {"photos_a": same}, same)
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert [row.split("|")[1].strip() for row in rows[1:]] == list(ARKIT_NAMES)
    assert sum("**rely**" in row for row in rows) == 51
    assert sum("**unobserved**" in row for row in rows) == 1
    assert "51 rely, 0 coarse, 0 do not rely, 1 unobserved" in text
    assert all(word in text for word in VERDICTS)
