"""Options that both training commands have, and the run that they describe."""

import argparse
import copy
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn
from torch.nn.utils import convert_conv2d_weight_memory_format

from training.networks.weights import load_weights
from training.optimization.adamw import AdamW, decayed_parameters
from training.optimization.configuration import parse
from training.optimization.distributed import join_process_group
from training.optimization.memory import keep_memory
from training.optimization.precision import PRECISIONS
from training.optimization.run import Run
from training.optimization.schedule import CoefficientWeight, Schedule

WEIGHT_DECAY = 0.02
HOST_SEED = 1_000_003  # beyond the workers' seeds

NetworkT = TypeVar("NetworkT", bound=nn.Module)


def non_negative(text: str) -> float:
    """The number of an option that must not be below 0. Raises ArgumentTypeError where it is, or is no number."""
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no number") from None
    if not value >= 0:
        raise argparse.ArgumentTypeError(f"{text} is below 0")
    return value


def add_run_arguments(parser: argparse.ArgumentParser, variants: Iterable[str]) -> None:
    """Adds the options that both training commands have; the first of the variants is the default."""
    names = list(variants)
    parser.add_argument("--run", type=Path, required=True, help="folder of the run; resumed where it exists")
    parser.add_argument("--weights", type=Path, help="published weights that a new run starts from, .npz")
    parser.add_argument(
        "--epochs-seen",
        type=non_negative,
        default=0.0,
        help="by those weights: the weight of the coefficient loss goes on from there",
    )
    parser.add_argument("--variant", choices=names, default=names[0])
    parser.add_argument("--precision", choices=PRECISIONS, default="float32")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--steps", type=int, help="length of the run")
    length.add_argument("--seconds", type=float, help="length of the run, in place of steps: of training, pauses apart")
    parser.add_argument("--rate", type=non_negative, default=2e-3, help="top learning rate")
    parser.add_argument("--warm-up", type=int, default=200, help="steps up to the top learning rate")
    parser.add_argument(
        "--final-rate", type=non_negative, default=0.01, help="share of the top learning rate at the end"
    )
    # The second name of each of these three is an earlier one, which files in training/configs/ use.
    decay_help = "of the exponential moving average of the weights, a step"
    parser.add_argument("--ema-decay", "--average-decay", type=non_negative, default=0.998, help=decay_help)
    start_help = "the weight of the coefficient loss (the paper's tau) goes from here to its floor over the run"
    parser.add_argument("--coefficient-weight-start", "--tau-start", type=non_negative, help=start_help)
    floor_help = "the weight of the coefficient loss is never lower"
    parser.add_argument("--coefficient-weight-floor", "--tau-floor", type=non_negative, default=0.0, help=floor_help)
    parser.add_argument(
        "--turned", type=non_negative, default=1.0, help="heads turned beyond 40 degrees are drawn so often"
    )
    parser.add_argument(
        "--motion-blur", type=non_negative, default=0.0, help="share of the pictures blurred along a line"
    )
    parser.add_argument(
        "--compression", type=non_negative, default=0.0, help="share of the pictures compressed in blocks"
    )
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop, to be resumed, after this long")
    parser.add_argument("--report-every", type=int, default=100, help="steps from a report and checkpoint to the next")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--plain-eyes", action=argparse.BooleanOptionalAction, default=False, help="give the eyes no more weight"
    )


def arguments_of(parser: argparse.ArgumentParser, steps: int, arguments: Sequence[str]) -> argparse.Namespace:
    """The options, completed from a file; `steps` is the length of a run that is given neither steps nor seconds.

    Ends the command, as argparse does, where the options are not right.
    """
    args = parse(parser, arguments)
    if args.steps is None and args.seconds is None:
        args.steps = steps
    return args


def require_as_many(parser: argparse.ArgumentParser, args: argparse.Namespace, *names: str) -> None:
    """Ends the command, as argparse does, where the options of these names have not one value a set each."""
    counts = {f"--{name}": len(getattr(args, name)) for name in names}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{count} {name}" for name, count in counts.items())
        parser.error(f"each set needs one value of every one of these options, but there are {told}")


def start(build: Callable[[], NetworkT], args: argparse.Namespace, samples_per_step: int) -> Run[NetworkT]:
    """A new run of the network that `build` makes, or the folder's resumed, as the options say.

    samples_per_step: see Run.resume. Raises SystemExit where the weights to start from or the checkpoint cannot be
    read.
    """
    keep_memory()
    torch.set_num_threads(args.threads)
    torch.backends.cudnn.benchmark = True  # of each convolution the fastest way; their shapes stay the same
    torch.set_float32_matmul_precision("high")
    torch.manual_seed(args.seed)
    rank = join_process_group()
    network = build()
    if args.weights:
        load_weights(network, args.weights)
    network = network.to(args.device)
    convert_conv2d_weight_memory_format(network, torch.channels_last)
    run = Run(
        folder=args.run,
        network=network,
        ema=copy.deepcopy(network),
        optimizer=AdamW(decayed_parameters(network, WEIGHT_DECAY), lr=args.rate, fused=True),
        generator=torch.Generator(args.device).manual_seed(args.seed + rank),
        host=torch.Generator().manual_seed(args.seed + HOST_SEED),
        schedule=Schedule(args.rate, args.steps, args.seconds, args.warm_up, args.final_rate),
        decay=args.ema_decay,
        minutes=args.minutes,
        report_every=args.report_every,
        rank=rank,
    )
    run.resume(samples_per_step)
    return run


def coefficient_weight_of(args: argparse.Namespace) -> CoefficientWeight:
    """How the coefficient loss is weighted over the run that the options describe."""
    return CoefficientWeight(args.coefficient_weight_floor, args.coefficient_weight_start)
