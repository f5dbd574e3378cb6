"""What the tables of single faces say."""

import json

import numpy as np
import pytest

from training.evaluation.expression import expression_metrics
from training.evaluation.eyes import EyeMetrics, LidMetrics
from training.evaluation.face_tables import pairs, ratio
from training.evaluation.jitter import JitterMetrics
from training.evaluation.poses import PoseMetrics
from training.evaluation.report import as_json, markdown
from training.evaluation.results import Results
from training.evaluation.skin import SkinGroup, SkinMetrics

NAN = float("nan")


def cells(text: str, *starts: str) -> list[str]:
    """The cells of the one row that starts so."""
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in text.splitlines() if row.startswith("|")]
    (found,) = [row for row in rows if row[: len(starts)] == list(starts)]
    return found[len(starts) :]


def test_eyes_have_a_ratio_and_the_papers_figures() -> None:
    eyes = {
        ("clips", "MFN"): EyeMetrics(61, 7, 0.3, 0.06),
        ("clips", "MFN + SFN"): EyeMetrics(61, 7, 0.2, 0.05),
        ("clips", "Teacher"): EyeMetrics(61, 0, NAN, 0.0),
    }
    lids = {("photos", system): LidMetrics(9, error, -0.5) for system, error in (("MFN", 1.5), ("MFN + SFN", 1.0))}
    text = markdown(Results(eyes=eyes, lids=lids))
    assert cells(text, "clips", "MFN") == ["61", "7", "0.300", "0.060"]
    assert cells(text, "clips", "ratio, MFN over MFN + SFN") == ["", "", "1.50", "1.20"]
    assert cells(text, "clips", "Teacher") == ["61", "0", "-", "0.000"]
    assert cells(text, "its own clips, closed eyes", "paper, ratio")[2] == "7.3"
    assert cells(text, "photos", "ratio, MFN over MFN + SFN") == ["", "1.50", ""]
    assert json.loads(as_json(Results(eyes=eyes)))["clips"]["Teacher"]["eyes"]["blink"] is None


def test_networks_are_paired_with_what_stands_behind_their_names() -> None:
    measured = {("a", "MFN, 2 tiles"): 1, ("a", "MFN + SFN, 2 tiles"): 2, ("b", "MFN"): 3, ("a", "MFN"): 4}
    assert pairs(measured) == [("a", ", 2 tiles", 1, 2)]
    assert ratio(3, 2) == 1.5
    assert np.isnan([ratio(1, 0), ratio(NAN, 1), ratio(1, NAN)]).all()


def test_dead_and_exact_coefficients() -> None:
    moving = np.linspace(0, 1, 40)
    reference = np.stack([moving, moving, np.full(40, 0.2)], axis=1)
    predicted = np.stack([moving, np.tile([0.50, 0.51], 20), np.full(40, 0.1)], axis=1)
    metrics = expression_metrics(predicted, reference, ("alive", "dead", "still"))
    assert metrics.unused == ("dead", "still")
    assert metrics.unused_by_reference == ("still",)
    assert metrics.untold == ("dead",)  # what never moves cannot be told
    text = markdown(Results(range={("expressions_all", "MFN"): metrics}, exact={("rendered_val", "MFN"): metrics}))
    assert cells(text, "expressions_all, all clips", "teacher") == ["40", "1", "still"]
    assert cells(text, "expressions_all, all clips", "MFN") == ["40", "2", "dead, still"]
    assert cells(text, "rendered_val", "exact values") == ["40", "1", "still"]
    exact = [row for row in text.splitlines() if "dead 0.0" in row]
    assert len(exact) == 1
    assert "| 1     " in exact[0]


def test_poses_jitter_and_skin() -> None:
    results = Results(
        poses={("turned_val", "MFN"): (PoseMetrics(0, 30, 9, 1, 3.456, 2.22, 3.33, 1.11, 4.44),)},
        jitter={("photos", "MFN"): JitterMetrics(30, 2, 0.456, 0.4)},
        skin={
            ("photos", "MFN"): SkinMetrics(
                (
                    SkinGroup("dark to tan", -np.inf, 28, 40, 1, 3.2, 0.87),
                    SkinGroup("light", 28, np.inf, 30, 0, 3, 0.9),
                ),
                5,
            )
        },
    )
    text = markdown(results)
    assert cells(text, "turned_val", "MFN") == ["0° to 30°", "9", "1", "3.46", "2.2", "3.3", "1.1", "4.4"]
    assert cells(text, "photos", "MFN", "30") == ["2", "0.46", "0.40"]
    assert cells(text, "photos", "MFN", "dark to tan") == ["up to 28°", "40", "1", "3.20", "0.87"]
    assert cells(text, "photos", "MFN", "light") == ["28° and more", "30", "0", "3.00", "0.90"]
    assert "5 faces in photos without colour" in text
    document = json.loads(as_json(results))
    assert document["turned_val"]["MFN"]["poses"][0]["yaw"] == pytest.approx(2.22)
    assert document["photos"]["MFN"]["skin"]["groups"][0]["low"] is None
