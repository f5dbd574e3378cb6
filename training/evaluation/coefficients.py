"""Which of ARKit's 52 coefficients a user can rely on, one by one.

python -m training.render.rendered --backgrounds .work/pack/val.npy --count 1000 --seed 918274 --out .work/motion_val
python -m training.evaluation.coefficients --rendered .work/motion_val --markdown models/MODEL_CARD.md

Two references, both with the second network. Rendered faces, drawn from recorded motion by training/render with a seed
that no training uses and before photos that none has seen, have exact values, but no real skin. Photos (landmarks_val
and the held-out clips) have real skin, but only the teacher's answers, which hardly know some of the coefficients.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from service.errors import RequestError
from service.inference.models import Models
from service.inference.options import RetargetOptions
from service.vision.arkit import ARKIT_NAMES, NEVER_OBSERVED, blendshapes
from service.vision.crops import crop_around
from service.vision.decoding import sigmoid
from service.vision.image import Picture
from service.vision.rotation import quaternion_to_euler
from training.evaluation.datasets import DATA_SETS
from training.evaluation.datasets.sample import Floats
from training.evaluation.evaluate import load_form, networks, reference_of
from training.evaluation.expression import MOVES, correlation
from training.evaluation.landmarks import nearest_face
from training.evaluation.measure import MIN_SCORE, look
from training.evaluation.prediction import Predictor
from training.evaluation.reference import ARRAYS
from training.evaluation.report import put_between
from training.evaluation.results import REFINED
from training.evaluation.table import number, table
from training.render.motion import SWAPPED_SIDES

BEGIN, END = "<!-- coefficients:begin -->", "<!-- coefficients:end -->"
PHOTOS = ("landmarks_val", "expressions_unlabelled")
MOST_YAW = 45.0  # degrees; of rendered faces turned further one half is out of sight
BATCH = 64  # crops at a time

# What the verdicts ask for.
RELY, COARSE = 0.7, 0.4  # least correlation
RELY_RANGE, COARSE_RANGE = 0.5, 0.25  # least spread (standard deviation) over the reference's
NOT_DENIED = 0.3  # least correlation on rendered faces of what photos confirm
VERDICTS = ("rely", "coarse", "do not rely", "unobserved")


@dataclass(frozen=True)
class Agreement:
    """How answers agree with a reference on `faces` faces: arrays (52,) in the order of ARKIT_NAMES. correlation:
    Pearson's, NaN where the reference does not move (standard deviation 0.05). spread: standard deviation of the
    answers over the reference's, NaN likewise."""

    faces: int
    correlation: Floats
    spread: Floats


def agreement(predicted: Floats, truth: Floats) -> Agreement:
    """How predictions agree with the truth, both ARKit weights (M, 52); a row of truth that knows no gaze has NaN there
    and is left out for these columns."""
    r, spread = np.full(len(ARKIT_NAMES), np.nan), np.full(len(ARKIT_NAMES), np.nan)
    for column in range(len(ARKIT_NAMES)):
        known = np.isfinite(truth[:, column])
        ours, theirs = predicted[known, column : column + 1], truth[known, column : column + 1]
        if len(theirs) and theirs.std() > MOVES:
            r[column] = correlation(ours, theirs)[0]
            spread[column] = ours.std() / theirs.std()
    return Agreement(len(truth), r, spread)


def verdict(name: str, rendered: tuple[float, float], photos: tuple[float, float]) -> str:
    """One of VERDICTS, of correlation and spread ratio on rendered faces and on photos, NaN where nothing moves.

    Photos decide where the teacher moves on them. Elsewhere rendered faces do, and no more than "coarse" comes of it,
    since no photo confirms it. Nor does more come of what rendered faces deny: there the network shares the teacher's
    notion of a coefficient rather than the face model's.
    """
    if name in NEVER_OBSERVED:
        return "unobserved"
    confirmed = bool(np.isfinite(photos[0]))
    r, spread = photos if confirmed else rendered
    if confirmed and r >= RELY and spread >= RELY_RANGE and rendered[0] >= NOT_DENIED:
        return "rely"
    return "coarse" if r >= COARSE and spread >= COARSE_RANGE else "do not rely"


def on_rendered(models: Models, crops: Path, most_yaw: float = MOST_YAW) -> tuple[Floats, Floats]:
    """Answers of the Single Face Network and exact values, (M, 52) each, of a set of crops that training.render wrote,
    cut by their true points as the service cuts them. Faces turned beyond most_yaw degrees are left out."""
    with np.load(crops.with_suffix(".npz")) as file:
        labels = {key: file[key] for key in ("quaternion", "points", "expression", "gaze")}
    pictures = np.load(crops.with_suffix(".npy"), mmap_mode="r")
    chosen = np.flatnonzero(np.abs(quaternion_to_euler(labels["quaternion"])[0]) <= most_yaw)
    factor = models.manifest.networks.sfn.crop_factor
    answers = []
    for start in range(0, len(chosen), BATCH):
        squares = []
        for index in chosen[start : start + BATCH]:
            picture = np.asarray(pictures[index])
            crop = crop_around(labels["points"][index], labels["quaternion"][index], factor)
            squares.append(crop.sample(Picture(picture, picture.shape[1], picture.shape[0])))
        raw = models.sfn.run(np.stack(squares))
        answers.append(blendshapes(sigmoid(raw["expression"]), sigmoid(raw["gaze"]), models.arkit))
    truth = blendshapes(labels["expression"], labels["gaze"], models.arkit)[chosen]
    return np.concatenate(answers), truth


def on_photos(models: Models, predictor: Predictor, name: str, data: Path, cache: Path) -> tuple[Floats, Floats]:
    """Answers and the teacher's, (M, 52) each, of the faces of a data set that both found."""
    data_set = DATA_SETS[name]
    groups = set(data_set.groups)
    samples = [s for s in data_set.read(data / data_set.place) if not groups or s.group in groups]
    teacher = reference_of(name, iter(samples), cache, (*ARRAYS, "gaze"))
    row_of = {told: row for row, told in enumerate(teacher["name"].tolist())}
    ours, theirs = [], []
    for seen in look(predictor, samples):
        row, faces = row_of[seen.sample.name], seen.faces(MIN_SCORE)
        face = nearest_face(faces.landmarks, teacher["landmarks"][row])
        if np.isnan(teacher["expression"][row]).any() or face is None:
            continue
        if faces.expression is None or faces.gaze is None:
            raise ValueError("the predictor tells no expression or no gaze")
        ours.append(blendshapes(faces.expression[face], faces.gaze[face], models.arkit))
        theirs.append(blendshapes(teacher["expression"][row], teacher["gaze"][row], models.arkit))
    return np.array(ours), np.array(theirs)


def of_both_sides(values: Floats) -> Floats:
    """(52,) means over a coefficient and its mirror image, itself where it has no side; NaN counts for nothing.

    What is left and what is right is drawn by chance, and a pair's verdict must not hang on it.
    """
    pairs = np.stack([values, values[SWAPPED_SIDES]])
    known = np.isfinite(pairs)
    total = np.where(known, pairs, 0).sum(axis=0)
    mean: Floats = np.divide(total, known.sum(axis=0), out=np.full(len(values), np.nan), where=known.any(axis=0))
    return mean


def coefficients_table(rendered: Agreement, photos: dict[str, Agreement], together: Agreement) -> str:
    """Markdown of one row a coefficient. photos: by the sets' names, together: of all of them."""
    columns = [rendered.correlation, rendered.spread, *(w.correlation for w in photos.values())]
    columns += [together.correlation, together.spread]
    exact, seen = (np.stack([of_both_sides(w.correlation), of_both_sides(w.spread)], 1) for w in (rendered, together))
    rows: list[list[str]] = []
    for i, name in enumerate(ARKIT_NAMES):
        told = verdict(name, (float(exact[i, 0]), float(exact[i, 1])), (float(seen[i, 0]), float(seen[i, 1])))
        rows.append([name, *(number(float(column[i])) for column in columns), f"**{told}**"])
    counts = ", ".join(f"{sum(row[-1] == f'**{word}**' for row in rows)} {word}" for word in VERDICTS)
    head = (
        "coefficient",
        f"rendered ({rendered.faces}): r",
        "spread",
        *(f"{name} ({w.faces}): r" for name, w in photos.items()),
        f"photos ({together.faces}): r",
        "spread",
        "verdict",
    )
    return (
        f"Of the 52: {counts}. r: correlation with exact values on rendered faces within {MOST_YAW:g}° of yaw, with "
        "the teacher on photos. Spread: standard deviation over the reference's. A dash: it does not move there "
        f"(standard deviation {MOVES:g} or less). Both sides of a pair are judged by their mean.\n\n"
        f"- **rely**: on photos r {RELY:g} or more and spread {RELY_RANGE:g} or more, and on rendered faces r "
        f"{NOT_DENIED:g} or more, since the teacher on photos is also who taught it.\n"
        f"- **coarse**: r {COARSE:g} or more and spread {COARSE_RANGE:g} or more, on photos, or, where the teacher "
        "does not move on these, on rendered faces alone.\n"
        "- **do not rely**: less than that.\n"
        "- **unobserved**: no network tells it; it is always 0.\n\n" + table(head, rows) + "\n"
    )


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluation.coefficients",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--models", type=Path, default=Path("models"), help="folder with manifest.json (%(default)s)")
    parser.add_argument("--form", help="of the networks, as in float32.onnx (the served one where it is there)")
    parser.add_argument("--rendered", type=Path, default=Path(".work/motion_val"), help="set of crops (%(default)s)")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of all data (%(default)s)")
    parser.add_argument("--cache", type=Path, default=Path("runs/teacher"), help="the teacher's labels (%(default)s)")
    parser.add_argument("--markdown", type=Path, help="write the table there, between the markers it has")
    args = parser.parse_args()
    try:
        models = load_form(args.models, args.form)
        predictor = next(s.predictor for s in networks(models, RetargetOptions(MIN_SCORE)) if s.name == REFINED)
        rendered = agreement(*on_rendered(models, args.rendered))
        pairs = {name: on_photos(models, predictor, name, args.data, args.cache) for name in PHOTOS}
    except (OSError, ValueError, KeyError, RequestError) as error:
        parser.exit(1, f"{error}\n")
    together = agreement(*(np.concatenate([pair[side] for pair in pairs.values()]) for side in (0, 1)))
    text = coefficients_table(rendered, {name: agreement(*pair) for name, pair in pairs.items()}, together)
    print(text)
    if args.markdown:
        put_between(args.markdown, BEGIN, END, text)


if __name__ == "__main__":
    main()
