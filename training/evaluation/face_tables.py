"""The tables of single faces: large poses, dead and exactly known coefficients, eyes, jitter, skin tone."""

import math
from collections.abc import Sequence
from typing import TypeVar

from training.evaluation import eyes, jitter, skin
from training.evaluation.expression import UNTOLD, UNUSED, ExpressionMetrics
from training.evaluation.results import ALONE, PAPER, REFINED, Key, Results
from training.evaluation.table import number, table

Metrics = TypeVar("Metrics")
Row = Sequence[object]
HELD_OUT_NOTE = {"expressions_unlabelled": "held-out clips", "expressions_all": "all clips"}
# Table 5, column "Eye Close": (2) multi-scale SFN, (3) MS-MFN taught by it. "Eye Wide" is 0.257 and 0.407.
PAPER_CLOSED_MFN, PAPER_CLOSED_SFN = 0.117, 0.016


def pairs(measured: dict[Key, Metrics]) -> list[tuple[str, str, Metrics, Metrics]]:
    """Data set, what stands behind the networks' names, and the measures of MFN and of MFN + SFN, where both are."""
    found = []
    for (data_set, system), alone in measured.items():
        cut = system.removeprefix(ALONE)
        refined = measured.get((data_set, f"{REFINED}{cut}"))
        if system.startswith(ALONE) and refined is not None:
            found.append((data_set, cut, alone, refined))
    return found


def ratio(a: float, b: float) -> float:
    """a / b; NaN where that says nothing."""
    return a / b if math.isfinite(a) and math.isfinite(b) and b > 0 else float("nan")


def _named(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


def eyes_table(results: Results) -> str:
    """Table of blinks and gaze against the teacher."""
    if not results.eyes:
        return ""
    rows: list[Row] = []
    for of in dict.fromkeys(data_set for data_set, _ in results.eyes):
        of_set = {key: m for key, m in results.eyes.items() if key[0] == of}
        rows += [
            (data_set, system, m.faces, m.closed, number(m.blink, 3), number(m.eyes, 3))
            for (data_set, system), m in of_set.items()
        ]
        for data_set, cut, alone, refined in pairs(of_set):
            ratios = (number(ratio(alone.blink, refined.blink)), number(ratio(alone.eyes, refined.eyes)))
            rows.append((data_set, f"ratio, {ALONE} over {REFINED}{cut}", "", "", *ratios))
    paper = "its own clips, closed eyes"
    rows.append((paper, f"{PAPER}, MS-MFN", "", "", number(PAPER_CLOSED_MFN, 3), ""))
    rows.append((paper, f"{PAPER}, MS-SFN", "", "", number(PAPER_CLOSED_SFN, 3), ""))
    rows.append((paper, f"{PAPER}, ratio", "", "", number(PAPER_CLOSED_MFN / PAPER_CLOSED_SFN, 1), ""))
    head = ("photos", "system", "faces", "closed eyes", "eyeBlink of those", "all of the eyes")
    return (
        "**Eyes.** Mean difference of coefficients to the teacher's, on rendered_val to the exact ones. Closed: eyes "
        f"whose eyeBlink is over {eyes.CLOSED:g} there. All of the eyes: coefficients whose name starts with `eye`, "
        "over all faces. With few closed eyes, of fewer people still, the ratio is rough. The paper's figures are "
        "those of table 5, column Eye Close (lines 3 and 2), its expression metric on its own "
        "photos.\n\n" + table(head, rows)
    )


def lids_table(results: Results) -> str:
    """Table of how far the lids are open."""
    if not results.lids:
        return ""
    rows: list[Row] = [
        (data_set, system, m.faces, number(m.error), f"{m.bias:+.2f}") for (data_set, system), m in results.lids.items()
    ]
    for data_set, cut, alone, refined in pairs(results.lids):
        rows.append(
            (data_set, f"ratio, {ALONE} over {REFINED}{cut}", "", number(ratio(alone.error, refined.error)), "")
        )
    return (
        "**Opening of the lids**: distance of points 37-41, 38-40, 43-47 and 44-46, predicted minus annotated, in "
        "percent of NME's denominator. Annotations by hand have an error of their own.\n\n"
        + table(("photos", "system", "faces", "mean absolute", "mean"), rows)
    )


def dead_table(results: Results) -> str:
    """Table of the coefficients that hardly move."""
    rows: list[Row] = []
    measured: dict[Key, ExpressionMetrics] = results.range | results.expression | results.exact
    for data_set in dict.fromkeys(data_set for data_set, _ in measured):
        of_set = {system: m for (of, system), m in measured.items() if of == data_set}
        first, where = next(iter(of_set.values())), HELD_OUT_NOTE.get(data_set, "")
        photos = f"{data_set}, {where}" if where else data_set
        reference = "exact values" if (data_set, next(iter(of_set))) in results.exact else "teacher"
        rows.append((photos, reference, first.faces, len(first.unused_by_reference), _named(first.unused_by_reference)))
        rows += [(photos, system, m.faces, len(m.unused), _named(m.unused)) for system, m in of_set.items()]
    if not rows:
        return ""
    return (
        f"**Dead coefficients**: those of the 46 whose 5th to 95th percentile spans less than {UNUSED:g} over strong "
        "expressions. Of the clips of expressions_all, every second frame of which counts, only two, those of "
        "expressions_unlabelled, were kept from training; so few frames do not show every expression. Rendered faces "
        "show all.\n\n" + table(("photos", "system", "faces", "dead", "which"), rows)
    )


def exact_table(results: Results) -> str:
    """Table of expressions and gaze against exact values."""
    if not results.exact:
        return ""
    rows = []
    for (data_set, system), m in results.exact.items():
        low = [f"{name} {m.correlation[m.names.index(name)]:.2f}" for name in m.untold]
        correlation, difference = number(m.mean_correlation), number(m.mean_difference, 3)
        rows.append((data_set, system, m.faces, difference, int(m.moves.sum()), correlation, len(low), _named(low)))
    head = ("photos", "system", "faces", "difference", "moving", "correlation", f"below {UNTOLD:g}", "which")
    return (
        "**Expression against exact values.** rendered_val: faces of 128 to 200 pixels, drawn by the program that "
        "draws training's rendered faces, from another seed and before photos kept from training; a quarter of them "
        "at any yaw up to 90°, where half a face is out of sight. Every coefficient moves there, the rare ones as "
        "often as a smile. Real skin tells more, and less, than rendered skin.\n\n" + table(head, rows)
    )


def poses_table(results: Results) -> str:
    """Table of errors by the head's yaw."""
    if not results.poses:
        return ""
    rows = [
        (
            data_set, system, f"{m.low:g}° to {m.high:g}°", m.faces, m.missed, number(m.nme), number(m.yaw, 1),
            number(m.pitch, 1), number(m.roll, 1), number(m.rotation, 1),
        )
        for (data_set, system), bins in results.poses.items() for m in bins
    ]  # fmt: skip
    head = ("photos", "system", "yaw", "faces", "missed", "NME 68", "yaw, °", "pitch, °", "roll, °", "rotation, °")
    return (
        "**Large poses.** turned_val: photos of landmarks_val turned in depth with their fitted mesh, made by the same "
        "program as training's large poses, from people never trained on; the truth is the turned mesh's. So this "
        "shows what was learned of such pictures, not how real profiles fare. Mean absolute errors over the faces "
        "found; near 90° of yaw, pitch and roll turn a head alike, and only the rotation as a whole says how far it "
        "is off.\n\n" + table(head, rows)
    )


def jitter_table(results: Results) -> str:
    """Table of the jitter of landmarks."""
    if not results.jitter:
        return ""
    rows = [
        (data_set, system, m.photos, m.lost, number(m.jitter), number(m.inner))
        for (data_set, system), m in results.jitter.items()
    ]
    return (
        f"**Jitter** of landmarks without smoothing: a still photo seen {jitter.FRAMES} times, shifted by up to "
        f"{jitter.MOST_SHIFT:g} pixel, scaled by up to {100 * jitter.MOST_SCALE:g} % and with noise of "
        f"{jitter.NOISE:g} grey levels. Standard deviation of a landmark once that movement is undone, mean over "
        "points and photos, in percent of NME's denominator. Lost: frames without the face. The acted clips are left "
        "out: their frames are 0.16 s apart, in which a face moves.\n\n"
        + table(("photos", "system", "photos", "lost", "68 points", "inner 51"), rows)
    )


def skin_table(results: Results) -> str:
    """Table of errors by the colour of the skin."""
    if not results.skin:
        return ""
    rows: list[Row] = []
    for (data_set, system), m in results.skin.items():
        for g in m.groups:
            ends = f"{_end(g.low)} to {_end(g.high)}".replace("- to", "up to").replace(" to -", " and more")
            rows.append((data_set, system, g.name, ends, g.faces, g.missed, number(g.nme), number(g.score)))
    colourless = max(m.colourless for m in results.skin.values())
    head = ("photos", "system", "skin", "ITA", "faces", "missed", "NME 68", "mean score")
    return (
        "**Skin tone** by individual typology angle (ITA, Chardon et al. 1991) of the median colour of cheeks and "
        f"forehead, in its published classes, those under {skin.LEAST_GROUP} faces joined with a neighbour. The angle "
        "was made for instruments on the skin. In photos of unknown light, exposure and camera it takes these for "
        "skin: it orders a set roughly, says nothing about a person, and a difference between groups may be one of "
        "light. On landmarks_val many of the lowest angles belong to light skin in dim or coloured light, so that the "
        f"table says little about dark skin. {colourless} faces in photos without colour are in no group. Apparent age "
        "and glasses could not be measured: no data at hand has them annotated.\n\n" + table(head, rows)
    )


def _end(degrees: float) -> str:
    return f"{degrees:g}°" if math.isfinite(degrees) else "-"
