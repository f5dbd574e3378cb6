"""Networks' weights in files: published ones (.npz) and those of a training run (checkpoint.pt)."""

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from training.arrays import read_arrays
from training.networks.outputs import FaceNetwork
from training.networks.variants import MULTIPLE, SINGLE

COUNTER = "num_batches_tracked"  # of batch normalization, which nothing reads
CHECKPOINT = "checkpoint.pt"  # in a run's folder
EMA = "averaged"  # the key of a checkpoint that holds the exponential moving average of the weights


def load_weights(network: nn.Module, path: Path) -> None:
    """Loads weights from an .npz, as in models/weights/: a network's state but its counters, float16 or float32.

    Raises SystemExit where the file is missing, none of weights, or of another network; the network is unchanged then.
    """
    arrays = read_arrays(path)
    foreign = [name for name, array in arrays.items() if array.dtype.kind != "f"]
    if foreign:
        raise SystemExit(f"{path} holds no weights: {', '.join(foreign[:3])} are no floating point numbers")
    load_state(network, {name: torch.from_numpy(array).float() for name, array in arrays.items()}, path)


def load_ema(network: nn.Module, source: Path) -> None:
    """Loads the moving average of a run's weights from its folder, or the weights of an .npz.

    Raises SystemExit where the folder holds no run, or as load_weights; the network is unchanged then.
    """
    if source.suffix == ".npz":
        load_weights(network, source)
        return
    path = source / CHECKPOINT
    if not path.exists():
        raise SystemExit(f"{source} is neither a run, for it holds no {path.name}, nor an .npz of weights")
    load_state(network, read_checkpoint(path, EMA)[EMA], path)


def read_checkpoint(path: Path, *names: str) -> dict[str, Any]:
    """What a run's checkpoint holds, tensors on the CPU. Raises SystemExit where it is damaged or lacks one of
    `names`."""
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SystemExit(f"{path} is no checkpoint of a run, or is damaged: {reason}") from error
    lacking = [name for name in names if name not in state]
    if lacking:
        raise SystemExit(f"{path} lacks {', '.join(lacking)}: it cannot be resumed, only exported or started from")
    return state


def load_state(network: nn.Module, state: dict[str, Tensor], path: Path) -> None:
    """Loads a state, its counters where it has them. Raises SystemExit, which names `path`, where any other name
    or shape differs."""
    own = {name: value for name, value in network.state_dict().items() if not name.endswith(COUNTER)}
    given = {name: value for name, value in state.items() if not name.endswith(COUNTER)}
    lacking = [name for name in own if name not in given]
    unknown = [name for name in given if name not in own]
    other = [name for name in own if name in given and own[name].shape != given[name].shape]
    if lacking or unknown or other:
        shapes = [f"{name} {tuple(given[name].shape)} for {tuple(own[name].shape)}" for name in other[:3]]
        raise SystemExit(
            f"{path} is not of this network: it lacks {lacking[:3]} and has {unknown[:3]}, unknown here; "
            f"of another shape: {', '.join(shapes) or 'none'}"
        )
    network.load_state_dict(state, strict=False)


def read_network(source: Path, variant: str) -> FaceNetwork:
    """The averaged network of a run's folder, or that of an .npz of weights. Raises SystemExit as load_ema."""
    network: FaceNetwork = MULTIPLE[variant]() if variant in MULTIPLE else SINGLE[variant]()
    load_ema(network, source)
    network.eval()
    return network


def mean_network(sources: Sequence[Path], variant: str) -> FaceNetwork:
    """The network whose weights are the means of those of `sources`, which should go back to the same start.

    Halfway between a start and what a run made of it, a network keeps more of what it knew (Wortsman et al., "Robust
    fine-tuning of zero-shot models", CVPR 2022, section 3). Raises SystemExit as read_network.
    """
    mean, *others = (read_network(source, variant) for source in sources)
    with torch.no_grad():
        for name, value in mean.state_dict().items():
            if value.is_floating_point():
                for other in others:
                    value += other.state_dict()[name]
                value /= len(sources)
    return mean
