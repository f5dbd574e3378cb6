from collections.abc import Callable

import pytest

from service.errors import BAD_PARAMETER, RequestError
from service.tracking.options import SmoothingOptions, StreamOptions

Options = Callable[..., StreamOptions | SmoothingOptions]


def test_defaults_hold() -> None:
    assert StreamOptions() == StreamOptions(0.5, 20, refine=False, follow=False, detect_every=10, smoothing=None)
    assert SmoothingOptions().min_cutoff == 1


@pytest.mark.parametrize(
    ("kind", "name", "low", "high"),
    [
        (StreamOptions, "min_score", 0.01, 1),
        (StreamOptions, "max_faces", 1, 100),
        (StreamOptions, "detect_every", 1, 300),
        (SmoothingOptions, "min_cutoff", 0.01, 1000),
        (SmoothingOptions, "beta", 0, 1000),
        (SmoothingOptions, "derivative_cutoff", 0.01, 1000),
    ],
)
def test_ranges(kind: Options, name: str, low: float, high: float) -> None:
    for value in (low, high):
        assert getattr(kind(**{name: value}), name) == value
    for value in (low - 0.005 if 0 < low < 1 else low - 1, high + 1, float("nan"), float("inf")):
        with pytest.raises(RequestError) as refused:
            kind(**{name: value})
        assert refused.value.kind is BAD_PARAMETER
        assert f"{name} is {value:g}; expected a number from {low:g} to {high:g}." in refused.value.detail
