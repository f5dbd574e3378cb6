"""Weights of few significant bits.

A trained weight in float32 has 24 significant bits, of which the last dozen or so are noise: every published form would
carry them, and no compression takes them off. Rounded once, before all forms are made, they are gone from all of them:
float16 holds the very same numbers, and what deflates files (git, zip, packages) leaves out the zeros of float32.
"""

import numpy as np
from torch import Tensor, nn, no_grad

# Of published weights; as many as bfloat16 has. Photos do not tell forms of 8 bits from those of 24: AP50, NME and
# w_exp moved by 0.02, 0.005 and 0.0002. Compressed, they take a third less, and an eighth less than those of 11.
SIGNIFICANT_BITS = 8
INT8_STEPS = 127  # of int8 on each side of 0, symmetric as weights are
HALF_BITS = 11  # significant bits of float16
HALF_FINEST = -24  # float16 holds multiples of 2 ** -24, however small


def rounded(values: np.ndarray, bits: int) -> np.ndarray:
    """Nearest values of `bits` significant bits (ties to even), float32 of the same shape.

    Those under 2 ** (bits + HALF_FINEST - 1) become multiples of 2 ** HALF_FINEST: float16 holds all of at most
    HALF_BITS bits and up to 65,504 exactly.
    """
    _, exponents = np.frexp(values)
    steps = np.ldexp(np.float32(1), np.maximum(exponents - bits, HALF_FINEST))
    return np.asarray(np.rint(values / steps) * steps, np.float32)


def narrowest(values: np.ndarray) -> np.ndarray:
    """float32 numbers as float16 where that holds every one of them exactly; the array itself where not."""
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and so differs
        half = values.astype(np.float16)
    return half if np.array_equal(half.astype(np.float32), values) else values


def round_weights(network: nn.Module, bits: int) -> None:
    """Rounds the weights of convolutions and linear layers in place; biases and statistics, few and each of weight for
    a whole channel, stay as they are."""
    with no_grad():
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                layer.weight.copy_(Tensor(rounded(layer.weight.numpy(), bits)))
