"""Measures every published form side by side: `python -m training.evaluation.forms`.

Forms that take several input sizes are measured at each. Writes one table into models/MODEL_CARD.md and the figures
into models/manifest.json, each beside those of float32 at the same size.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from service.inference.models import Models
from service.inference.options import RetargetOptions
from training.evaluation.datasets import DATA_SETS, Measure
from training.evaluation.evaluate import SERVED, Conditions, evaluate, load_form, networks
from training.evaluation.report import put_between
from training.evaluation.results import Results
from training.evaluation.table import table
from training.export.artifacts import FORMS

BEGIN, END = "<!-- forms:begin -->", "<!-- forms:end -->"
DETECTION, LANDMARKS, EXPRESSION = "multi_val", "landmarks_val", "expressions_unlabelled"
MEASURES = (Measure.DETECTION, Measure.LANDMARKS, Measure.EXPRESSION)
MOST_LOST = {"AP50": 0.5, "NME": 0.1, "w_exp": 0.01}  # points, points, mean difference: what int8 may lose to float32


@dataclass(frozen=True)
class Figures:
    """ap50, ap75, nme: percent. nme and w_exp, the mean difference to the teacher: of MFN, then of MFN + SFN.
    megabytes: of both files."""

    ap50: float
    ap75: float
    nme: tuple[float, float]
    w_exp: tuple[float, float]
    megabytes: tuple[float, float]

    def as_dict(self) -> dict[str, float]:
        """The figures by name, rounded, as the manifest holds them."""
        plain = {"AP50": self.ap50, "AP75": self.ap75}
        for name, (alone, refined) in (("NME", self.nme), ("w_exp", self.w_exp)):
            plain |= {name: alone, f"{name} refined": refined}
        return {name: round(value, 4) for name, value in plain.items()}


@dataclass(frozen=True)
class Served:
    """A form at one input size. usual: that at which MFN sees a picture unless told otherwise."""

    form: str
    input_size: int
    usual: bool

    def __str__(self) -> str:
        return self.form if self.usual else f"{self.form} at {self.input_size}"


def measure(folder: Path, models: Models, served: Served, data: Path, conditions: Conditions) -> Figures:
    """Measures one form of the published networks on the photos in `data`."""
    form, results = served.form, Results()
    systems = networks(models, RetargetOptions(conditions.min_score, input_size=served.input_size))
    for system in systems:
        for name in (DETECTION, LANDMARKS, EXPRESSION):
            results.add(evaluate(system, name, DATA_SETS[name], data / DATA_SETS[name].place, conditions))
    alone, refined = (system.name for system in systems)
    specs = models.manifest.networks
    sizes = [(folder / spec.forms[form].file).stat().st_size / 1e6 for spec in (specs.mfn, specs.sfn)]
    detection = results.detection[DETECTION, alone]
    return Figures(
        ap50=detection.ap50,
        ap75=detection.ap75,
        nme=(results.landmarks[LANDMARKS, alone].all.nme, results.landmarks[LANDMARKS, refined].all.nme),
        w_exp=(
            float(results.expression[EXPRESSION, alone].mean_difference),
            float(results.expression[EXPRESSION, refined].mean_difference),
        ),
        megabytes=(sizes[0], sizes[1]),
    )


def losses(figures: Figures, float32: Figures) -> dict[str, float]:
    """How much worse than float32, of the two networks the one that loses more; below 0 where it does better."""
    return {
        "AP50": float32.ap50 - figures.ap50,
        "NME": max(mine - theirs for mine, theirs in zip(figures.nme, float32.nme, strict=True)),
        "w_exp": max(mine - theirs for mine, theirs in zip(figures.w_exp, float32.w_exp, strict=True)),
    }


def base_of(served: Served, measured: dict[Served, Figures]) -> Figures:
    """What the form is held against: the first that was measured at its input size."""
    return next(figures for other, figures in measured.items() if other.input_size == served.input_size)


def as_table(measured: dict[Served, Figures]) -> str:
    """The figures of each form as a table, with what it loses to float32."""
    head = ("form", "MFN, SFN, MB", "AP50", "AP75", "NME", "refined", "w_exp", "refined", "worse by AP50, NME, w_exp")
    rows = []
    for served, f in measured.items():
        base = base_of(served, measured)
        worse = ", ".join(
            f"{value:+.3f}" if name == "w_exp" else f"{value:+.2f}" for name, value in losses(f, base).items()
        )
        rows.append((
            str(served), f"{f.megabytes[0]:.2f}, {f.megabytes[1]:.2f}", f"{f.ap50:.1f}", f"{f.ap75:.1f}",
            *(f"{v:.2f}" for v in f.nme), *(f"{v:.3f}" for v in f.w_exp), "" if f is base else worse,
        ))  # fmt: skip
    return (
        f"AP50 and AP75 on {DETECTION}, NME (percent) on {LANDMARKS}, w_exp, the mean difference to the teacher's "
        f"expressions, on {EXPRESSION}; `refined` is MFN with SFN. `at` tells another input size than the usual one. "
        "The last column is beside the first form at the same size and takes the worse of MFN and MFN with SFN.\n\n"
        + table(head, rows)
        + "\n"
    )


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluation.forms", description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--forms", nargs="+", default=list(FORMS), help="the first is what the others are held against")
    parser.add_argument("--cache", type=Path, default=Path("runs/teacher"), help="the teacher's labels (%(default)s)")
    parser.add_argument("--markdown", type=Path, default=Path("models/MODEL_CARD.md"))
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each N-th picture, for a trial")
    parser.add_argument("--dry-run", action="store_true", help="print the table, write nothing")
    args = parser.parse_args()
    conditions = Conditions(models=args.models, cache=args.cache, only=MEASURES, every=args.every)
    measured: dict[Served, Figures] = {}
    try:
        for form in args.forms:
            models = load_form(args.models, form)
            for size in models.priors:
                served = Served(form, size, usual=size == models.side)
                measured[served] = measure(args.models, models, served, args.data, conditions)
                print(served, measured[served].as_dict(), file=sys.stderr, flush=True)
    except (OSError, ValueError) as error:
        parser.exit(1, f"{error}\n")
    text = as_table(measured)
    print(text)
    if not args.dry_run:
        put_between(args.markdown, BEGIN, END, text)
        path = args.models / "manifest.json"
        manifest = json.loads(path.read_text())
        manifest["accuracy_of_forms"] = {str(served): figures.as_dict() for served, figures in measured.items()}
        path.write_text(json.dumps(manifest, indent=2) + "\n")
    for served, figures in measured.items():
        for name, loss in losses(figures, base_of(served, measured)).items():
            if served.form == SERVED and loss > MOST_LOST[name]:
                parser.exit(1, f"{served} loses {loss:.3f} {name} to {args.forms[0]}, more than {MOST_LOST[name]}\n")


if __name__ == "__main__":
    main()
