"""Measures networks or any other predictor on data sets, one process, one core.

python -m training.evaluation --models models --data ../shared/data
python -m training.evaluation --predictor training.evaluation.teacher:Teacher --sets landmarks_val
python -m training.evaluation --json .work/a.json; python -m training.evaluation.spread .work/a.json .work/b.json
python -m training.evaluation --sets aflw2000=/data/AFLW2000 wider_val=/data/wider --markdown models/MODEL_CARD.md
"""

import argparse
import sys
import time
from pathlib import Path

from service.errors import RequestError
from service.inference.options import RetargetOptions
from service.vision.tile_layout import MAX_TILES
from training.evaluation.datasets import DATA_SETS
from training.evaluation.evaluate import Conditions, System, chosen_sets, evaluate, load_form, networks
from training.evaluation.measure import MIN_SCORE
from training.evaluation.prediction import close, load_predictor
from training.evaluation.report import as_json, markdown, put_into, put_into_manifest
from training.evaluation.results import Results

USUAL_SETS = (
    "multi_val",
    "landmarks_val",
    "expressions_unlabelled",
    "expressions_all",
    "rendered_val",
    "turned_val",
)


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluation", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", type=Path, default=Path("models"), help="folder with manifest.json (%(default)s)")
    parser.add_argument("--form", help="of the networks, as in float32.onnx (the served one where it is there)")
    parser.add_argument("--predictor", help="package.module:function to measure in place of our networks")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of all data (%(default)s)")
    parser.add_argument(
        "--sets",
        nargs="+",
        default=list(USUAL_SETS),
        metavar="NAME[=PATH]",
        help=f"any of {', '.join(DATA_SETS)}; a path where it lies elsewhere (%(default)s)",
    )
    parser.add_argument(
        "--groups",
        nargs="+",
        default=[],
        help="only these clips or scenarios of sets that have them (clips: those held out)",
    )
    parser.add_argument("--limit", type=int, help="first pictures of each set only, for a trial")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each N-th picture, for a trial")
    parser.add_argument("--min-score", type=float, default=MIN_SCORE, help="of faces that count (%(default)s)")
    parser.add_argument(
        "--tiles", type=int, default=1, choices=range(1, MAX_TILES + 1), help="into how many our networks cut pictures"
    )
    parser.add_argument(
        "--input-size", type=int, metavar="PIXELS", help="of the square that MFN sees (the usual one unless said)"
    )
    parser.add_argument("--no-invariance", action="store_true", help="leave out the moved pictures, the slowest part")
    parser.add_argument("--cache", type=Path, default=Path("runs/teacher"), help="the teacher's labels (%(default)s)")
    parser.add_argument("--json", type=Path, help="write all figures there")
    parser.add_argument("--manifest", type=Path, help="write the most important figures into this manifest.json")
    parser.add_argument("--markdown", type=Path, help="write the tables there, between the accuracy markers it has")
    arguments = parser.parse_args()
    conditions = Conditions(
        models=arguments.models,
        groups=tuple(arguments.groups),
        limit=arguments.limit,
        every=arguments.every,
        min_score=arguments.min_score,
        invariance=not arguments.no_invariance,
        cache=arguments.cache,
    )
    results, start = Results(), time.perf_counter()
    try:
        sets = chosen_sets(arguments.sets, arguments.data)
        if arguments.predictor:
            systems = [System(arguments.predictor.rpartition(":")[2], load_predictor(arguments.predictor))]
        else:
            models = load_form(arguments.models, arguments.form)
            models.input_size(arguments.input_size)
            options = RetargetOptions(arguments.min_score, tiles=arguments.tiles, input_size=arguments.input_size)
            systems = networks(models, options)
        for system in systems:
            for name, data_set, path in sets:
                results.add(evaluate(system, name, data_set, path, conditions))
                print(f"{time.perf_counter() - start:6.1f} s  {system.name} on {name}", file=sys.stderr, flush=True)
            close(system.predictor)
    except (OSError, ValueError, RequestError) as error:
        parser.exit(1, f"{error}\n")
    for name, data_set, _ in sets:
        if groups := arguments.groups or data_set.groups:
            results.remarks.append(f"Of {name}, where it has clips or scenarios, only {', '.join(groups)}.")
    text = markdown(results)
    print(text)
    if arguments.json:
        arguments.json.write_text(as_json(results))
    if arguments.manifest:
        put_into_manifest(arguments.manifest, results)
    if arguments.markdown:
        put_into(arguments.markdown, text)


if __name__ == "__main__":
    main()
