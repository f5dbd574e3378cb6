"""TFLite networks in LiteRT with XNNPACK: `python -m bench.litert models/*.tflite`.

Every file in turn, round after round, pinned to one core with one thread, then to two with two. Prints the median
latency of each and the median of its rounds' ratios to the first file's. --operators also times the operators of each
file one by one, each cut out as a model of its own: what runs fused in the whole graph is timed apart there, so that
they tell where the time goes, not how much it is.

Needs ai-edge-litert, which the training extra brings.
"""

import argparse
import copy
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from bench.results import machine, table, write_figures
from training.export.flatbuffer import operator_name, producers, read_model, write_model

OPENING = """## TFLite forms in LiteRT

`python -m bench.litert models/mfn.*.tflite models/sfn.*.tflite --results`: XNNPACK, networks alone, medians of rounds
in which every file has its turn."""
WARM_UP_ROUNDS = 3
OPERATOR_RUNS = 30
MOST_LISTED = 12  # kinds of operators of a file


def prepared(threads: int, **source: Any) -> Interpreter:
    """An interpreter with noise in its inputs."""
    interpreter = Interpreter(num_threads=threads, **source)
    interpreter.allocate_tensors()
    rng = np.random.default_rng(0)
    for tensor in interpreter.get_input_details():
        noise = rng.integers(0, 256, tensor["shape"], dtype=np.uint8)
        number = tensor["dtype"]
        value = (noise / np.float32(128) - 1).astype(number) if number == np.float32 else noise.view(number)
        interpreter.set_tensor(tensor["index"], value)
    return interpreter


def milliseconds(interpreter: Interpreter) -> float:
    """Milliseconds of the second of two runs: the first finds the caches full of another file's numbers."""
    interpreter.invoke()
    start = time.perf_counter()
    interpreter.invoke()
    return (time.perf_counter() - start) * 1e3


def measure(files: Sequence[Path], threads: int, rounds: int) -> list[list[float]]:
    """Milliseconds of each file, one a round."""
    interpreters = [prepared(threads, model_path=str(file)) for file in files]
    times: list[list[float]] = [[] for _ in files]
    for turn in range(WARM_UP_ROUNDS + rounds):
        for taken, interpreter in zip(times, interpreters, strict=True):
            took = milliseconds(interpreter)
            if turn >= WARM_UP_ROUNDS:
                taken.append(took)
    return times


def cut_out(model: schema.ModelT, wanted: schema.OperatorT) -> bytes:
    """A model of one operator, and of those that only unpack its constants."""
    alone, whole = copy.copy(model), model.subgraphs[0]
    graph = copy.copy(whole)
    makers = producers(model)
    written = {int(tensor) for tensor in (*whole.inputs, *makers)}
    read = [int(tensor) for tensor in wanted.inputs if int(tensor) in written]
    unpacked = [t for t in read if t in makers and not written & {int(source) for source in makers[t].inputs}]
    graph.operators = [*(makers[tensor] for tensor in unpacked), wanted]
    graph.inputs, graph.outputs = [tensor for tensor in dict.fromkeys(read) if tensor not in unpacked], wanted.outputs
    alone.subgraphs, alone.signatureDefs = [graph], []
    return write_model(alone)


def list_operators(file: Path) -> None:
    """Prints the time of each operator of a model that is run alone, the slowest first."""
    model = read_model(file.read_bytes(), file.name)
    took: dict[str, list[float]] = defaultdict(list)
    for operator in model.subgraphs[0].operators:
        interpreter = prepared(1, model_content=cut_out(model, operator))
        if not interpreter.get_input_details():  # unpacks a constant: once, when the model is loaded
            continue
        shape = "x".join(str(side) for side in model.subgraphs[0].tensors[int(operator.outputs[0])].shape)
        name = f"{operator_name(model, operator)} to {shape}"
        took[name].append(statistics.median(milliseconds(interpreter) for _ in range(OPERATOR_RUNS)))
    total = sum(sum(times) for times in took.values())
    print(f"\n{file.name}, operators one by one: {total:.2f} ms\n| operator | times | ms | share |\n|---|---|---|---|")
    for name, times in sorted(took.items(), key=lambda item: -sum(item[1]))[:MOST_LISTED]:
        print(f"| {name} | {len(times)} | {sum(times):.3f} | {sum(times) / total:.0%} |")


def main() -> None:
    """Reads the options and runs the command."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("files", type=Path, nargs="+")
    arguments.add_argument("--rounds", type=int, default=50)
    arguments.add_argument("--operators", action="store_true")
    arguments.add_argument("--results", action="store_true", help="write the table into bench/RESULTS.md")
    options = arguments.parse_args()
    began, cores = machine(), sorted(os.sched_getaffinity(0))
    counts = (1, 2)[: len(cores)]
    rows = [[file.name] for file in options.files]
    for threads in counts:
        os.sched_setaffinity(0, cores[-threads:])  # before the threads start, which keep to it
        times = measure(options.files, threads, options.rounds)
        for row, taken in zip(rows, times, strict=True):
            row.append(f"{statistics.median(taken):.2f}")
            row.append(f"{statistics.median(a / b for a, b in zip(taken, times[0], strict=True)):.2f}")
    head = [cell for threads in counts for cell in (f"{threads} thread{'s'[: threads - 1]}, ms", "of the first")]
    figures = f"{began}. {options.rounds} rounds; LiteRT {version('ai-edge-litert')}.\n\n{table(['file', *head], rows)}"
    print(figures)
    if options.results:
        write_figures("litert", OPENING, figures)
    if options.operators:
        os.sched_setaffinity(0, cores[-1:])
        for file in options.files:
            list_operators(file)


if __name__ == "__main__":
    main()
