"""Where a network's time goes: `python -m bench.parts models/mfn.int8.onnx [--results]`.

onnxruntime's own profile of one core, medians of runs, added up by the parts of the network that the weights are named
after (training/networks/layers.py); what has no weights goes by its operation. --results writes it into
bench/RESULTS.md.
"""

import argparse
import json
import statistics
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

from bench.arithmetic import layer_multiply_adds
from bench.results import machine, table, write_figures
from bench.rounds import pin

WARM_UP = 10
OPENING = """## Where MFN's time goes

`python -m bench.parts models/mfn.int8.onnx --results`: onnxruntime's profile, one core, medians; the profile itself
costs some of the time."""

Profile = dict[str, tuple[float, int]]  # microseconds and multiply-adds of each part


def profile(path: Path, runs: int) -> Profile:
    """In the order in which the parts are first run."""
    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3  # errors only
        options.enable_profiling = True
        options.profile_file_prefix = f"{folder}/profile"
        options.optimized_model_filepath = f"{folder}/optimized.onnx"
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        (image,) = session.get_inputs()
        shape = [n if isinstance(n, int) else 1 for n in image.shape]
        picture = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
        for _ in range(runs + WARM_UP):
            session.run(None, {image.name: picture})
        events = json.loads(Path(session.end_profiling()).read_text())
        graph = onnx.load(f"{folder}/optimized.onnx").graph
    part = {node.name: part_of(node) for node in graph.node}
    times: dict[str, list[float]] = defaultdict(list)
    for event in events:
        name = event["name"].removesuffix("_kernel_time")
        if event.get("cat") == "Node" and name in part:
            times[name].append(event["dur"])
    spent: dict[str, float] = defaultdict(float)
    for name, durations in times.items():
        spent[part[name]] += statistics.median(durations[WARM_UP:])
    work: dict[str, int] = defaultdict(int)
    for weight, count in layer_multiply_adds(onnx.load(path)).items():
        work[part_of_weight(weight)] += count
    return {name: (time, work[name]) for name, time in spent.items()}


def part_of(node: onnx.NodeProto) -> str:
    """The part of the network whose weights a node reads, or its operation."""
    weights = [name for name in node.input if ".weight" in name]
    return part_of_weight(weights[0]) if weights else node.op_type


def part_of_weight(name: str) -> str:
    """The part of the network that a weight belongs to: stage4 of network.stage4.1.body.0.0.weight."""
    return name.removeprefix("network.").partition(".")[0]


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(prog="python -m bench.parts", description=__doc__.splitlines()[0])
    parser.add_argument("network", type=Path)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--results", action="store_true", help="write the table into bench/RESULTS.md")
    arguments = parser.parse_args()
    pin()
    parts = profile(arguments.network, arguments.runs)
    total = sum(time for time, _ in parts.values())
    rows = [
        [name, f"{time / 1e3:.3f}", f"{time / total:.0%}", f"{count / 1e6:.1f}" if count else ""]
        for name, (time, count) in parts.items()
    ]
    rows.append(["all", f"{total / 1e3:.3f}", "100%", f"{sum(count for _, count in parts.values()) / 1e6:.1f}"])
    text = f"{machine()}; onnxruntime {onnxruntime.__version__}, {arguments.network.name}, {arguments.runs} runs.\n\n"
    text += table(["part", "ms", "share", "million multiply-adds"], rows)
    print(text)
    if arguments.results:
        write_figures(f"parts of {arguments.network.stem}", OPENING, text)


if __name__ == "__main__":
    main()
