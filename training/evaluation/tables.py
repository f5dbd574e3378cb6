"""The tables of whole data sets: detection, landmarks, expression, invariance."""

import math
from collections.abc import Sequence

from training.evaluation.landmarks import LandmarkMetrics
from training.evaluation.results import PAPER, Results
from training.evaluation.table import number, table


def detection_table(results: Results) -> str:
    """Table of average precision and recall."""
    if not results.detection:
        return ""
    rows: list[Sequence[object]] = [
        (
            data_set, system, m.pictures, m.faces, m.ignored, number(m.ap, 1), number(m.ap50, 1), number(m.ap75, 1),
            f"{number(m.recall, 1)} ({m.found})", number(m.score),
        )
        for (data_set, system), m in results.detection.items()
    ]  # fmt: skip
    rows.append(("AFW", f"{PAPER}, MS-MFN", 205, 1000, "", "98.8", "100", "99.3", "", ""))
    head = ("photos", "system", "pictures", "faces", "ignored", "AP", "AP50", "AP75", "recall (found)", "score")
    return (
        "**Detection.** COCO's average precision in percent; pictures with over 20 faces left out, faces under 2 % of "
        "the picture ignored (paper 4.1). Recall: at IoU 0.5 and at most one false alarm in ten pictures, which "
        "`score` gives. The paper's figures are on other photos.\n\n" + table(head, rows)
    )


def heights_table(results: Results) -> str:
    """Table of recall by the faces' height."""
    if not results.detection:
        return ""
    rows: list[Sequence[object]] = []
    edges: tuple[str, ...] = ()
    for (data_set, system), m in results.detection.items():
        edges = tuple(f"{h.low:g} to {h.high:g}" if math.isfinite(h.high) else f"from {h.low:g}" for h in m.by_height)
        found = (f"{h.found}, {h.found_at_any_score} of {h.faces}" if h.faces else "-" for h in m.by_height)
        rows.append((data_set, system, *found))
    return (
        "**Faces found by height** in pixels, the picture's longer side being 288: at the score above, at any score, "
        "of all.\n\n" + table(("photos", "system", *edges), rows)
    )


def landmarks_table(results: Results) -> str:
    """Table of the errors of landmarks."""
    if not results.landmarks:
        return ""
    rows: list[Sequence[object]] = []

    def add(data_set: str, system: str, m: LandmarkMetrics) -> None:
        rows.append(
            (
                data_set, system, m.faces, m.missed, number(m.nme), number(m.nme_inner), number(m.auc, 3), m.failed,
                f"{m.shift[0]:+.2f}, {m.shift[1]:+.2f}",
            )
        )  # fmt: skip

    for (data_set, system), grouped in results.landmarks.items():
        add(data_set, system, grouped.all)
        for group, of_group in grouped.groups.items():
            add(f"{data_set}, {group}", system, of_group)
    rows.append(("LFW", f"{PAPER}, MS-MFN", "", "", "2.23", "", "", "", ""))
    rows.append(("LFW", f"{PAPER}, MS-SFN", "", "", "1.91", "", "", "", ""))
    for scenario, auc in enumerate(("0.901", "0.884", "0.842"), 1):
        if any(data_set == "300vw" for data_set, _ in results.landmarks):
            rows.append((f"300vw, scenario {scenario}", f"{PAPER}, MS-SFN", "", "", "", "", auc, "", ""))
    head = ("photos", "system", "faces", "missed", "NME 68", "NME inner 51", "AUC", "failed", "shift x, y")
    return (
        "**Landmarks.** NME: mean distance in percent of sqrt(w h) of the annotated points' box, over the faces found. "
        "AUC: area under the cumulative error curve up to 5 % of that box's diagonal, missed faces included; failed: "
        "beyond it. Shift: predicted minus annotated, pixels. Annotations as published. The paper's figures are on "
        "other photos or against other annotations.\n\n" + table(head, rows)
    )


def yaw_table(results: Results) -> str:
    """Table of the errors of landmarks by yaw, as the paper's table 3."""
    by_yaw = {key: grouped for key, grouped in results.landmarks.items() if grouped.yaw is not None}
    if not by_yaw:
        return ""
    rows: list[Sequence[object]] = [
        (
            data_set, system, *(number(v) for v in grouped.yaw.nme), number(grouped.yaw.mean),
            f"{grouped.all.missed} of {grouped.all.faces}",
        )
        for (data_set, system), grouped in by_yaw.items() if grouped.yaw is not None
    ]  # fmt: skip
    rows.append(("AFLW2000-3D", f"{PAPER}, MS-SFN", "2.91", "3.83", "4.94", "3.89", ""))
    return "**NME 68 by yaw**, percent.\n\n" + table(
        ("photos", "system", "0° to 30°", "30° to 60°", "60° to 90°", "mean", "missed"), rows
    )


def expression_table(results: Results) -> str:
    """Table of expression coefficients against the teacher."""
    if not results.expression:
        return ""
    rows = [
        (
            data_set, system, m.faces, number(m.mean_difference, 3), int(m.moves.sum()), number(m.mean_correlation),
            len(m.dead), ", ".join(m.dead) or "none",
        )
        for (data_set, system), m in results.expression.items()
    ]  # fmt: skip
    head = ("photos", "system", "faces", "difference", "moving", "correlation", "stiff", "which")
    return (
        "**Expression against the teacher** (MediaPipe). Difference: mean over all coefficients and faces (paper 4.2). "
        "Moving: coefficients whose standard deviation in the teacher is over 0.05; correlation: mean over those. "
        "Stiff: those of them whose 5th to 95th percentile spans less than half the teacher's.\n\n" + table(head, rows)
    )


def coefficients_table(results: Results) -> str:
    """Table of each expression coefficient."""
    parts = []
    for data_set in dict.fromkeys(data_set for data_set, _ in results.expression):
        systems = {system: m for (of, system), m in results.expression.items() if of == data_set}
        first = next(iter(systems.values()))
        head = ["coefficient", "teacher's range"]
        for system in systems:
            head += [f"{system}: range", "difference", "correlation"]
        rows = []
        for i, name in enumerate(first.names):
            low, high = first.reference_range[i]
            row: list[object] = [name, f"{low:.2f} to {high:.2f}"]
            for m in systems.values():
                low, high = m.predicted_range[i]
                row += [f"{low:.2f} to {high:.2f}", number(m.difference[i], 3), number(m.correlation[i])]
            rows.append(row)
        parts.append(f"**Each coefficient on {data_set}**, 5th to 95th percentile.\n\n" + table(head, rows))
    return "\n\n".join(parts)


def invariance_table(results: Results) -> str:
    """Table of what changes in the answer when a picture is moved."""
    if not results.invariance:
        return ""
    rows = [
        (
            data_set, system, m.movement, m.faces, m.lost, number(m.expression, 3), number(m.identity, 3),
            number(m.roll), number(m.rotation),
        )
        for (data_set, system), several in results.invariance.items() for m in several
    ]  # fmt: skip
    head = ("photos", "system", "picture", "faces", "lost", "w_exp", "w_id", "roll, °", "rotation, °")
    return (
        "**The same photo moved.** w_exp, w_id: mean change over the coefficients' spread between people. Roll and "
        "rotation: mean error against the moved pose.\n\n" + table(head, rows)
    )
