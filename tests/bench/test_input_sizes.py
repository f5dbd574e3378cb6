"""What is chosen on the command line, and the table of what it finds."""

from dataclasses import dataclass
from typing import cast

import pytest

from bench.input_sizes import Figures, Setting, as_table
from service.inference.models import Models
from service.inference.options import RetargetOptions
from service.inference.pipeline import Pipeline
from training.evaluation.detection import DetectionMetrics, HeightRecall
from training.evaluation.landmarks import LandmarkMetrics


@dataclass(frozen=True)
class _Models:
    side: int = 288


def figures(ap50: float) -> Figures:
    heights = (
        HeightRecall(0, 12, 9, 2, 4),
        HeightRecall(12, 18, 8, 5, 7),
        HeightRecall(18, float("inf"), 3, 3, 3),
    )
    detection = DetectionMetrics(1, 20, 0, 40.0, ap50, 30.0, 10, 0.5, heights)
    return Figures(detection, LandmarkMetrics(7, 1, 3.456, 3.0, 0.5, 1, (0.0, 0.0)))


def test_a_setting_is_a_size_and_perhaps_tiles() -> None:
    assert Setting.of("416") == Setting(416, 1)
    assert Setting.of("576/alone") == Setting(576, 1, alone=True)
    assert Setting.of("288/3").options(0.25) == RetargetOptions(min_score=0.25, tiles=3, input_size=288)
    with pytest.raises(ValueError, match="large"):
        Setting.of("large")


def test_the_table_has_a_line_a_setting_and_only_small_faces() -> None:
    first, second = Setting(288, 1), Setting(288, 2)
    assert str(Setting(576, alone=True)) == "576 alone"
    head, _, *rows = as_table({first: figures(80), second: figures(90)}, {first: 5.04, second: 15}).splitlines()
    assert [cell.strip() for cell in head.strip("|").split("|")] == [
        "input size", "tiles", "ms", "AP50", "AP75", "recall", "0 to 12 px, of 9", "12 to 18 px, of 8", "NME", "missed",
    ]  # fmt: skip
    assert [[cell.strip() for cell in row.strip("|").split("|")] for row in rows] == [
        ["288", "1", "5.0", "80.0", "30.0", "50.0", "2 / 4", "5 / 7", "3.46", "1"],
        ["288", "2", "15.0", "90.0", "30.0", "50.0", "2 / 4", "5 / 7", "3.46", "1"],
    ]


def test_alone_there_is_no_second_look() -> None:
    """A pipeline looks at its usual size only, so that is what the larger one becomes."""
    models = cast(Models, _Models())
    pipeline = Pipeline(models)
    assert Setting.of("576").of_pipeline(pipeline) is pipeline
    assert Setting.of("576/alone").of_pipeline(pipeline).models.side == 576
