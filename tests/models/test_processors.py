"""int8 answers as float32 does on every family of processors: on the one at hand, and on those that QEMU emulates."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from bench.answers import SYSTEMS, Answers, answers
from bench.deviation import deviation
from bench.processors import PHOTOS, PROCESSORS, at_once, emulators

PUBLISHED = Path(__file__).resolve().parents[2] / "models"

# Means over all faces of the photos. Rounding alone leaves 0.99, 0.6 degrees and 0.003 (0.7 and 0.006 with SFN).
# Products whose sums are cut off at 16 bits, as without VNNI, once made 0.95, 3.3 degrees and 0.02 of it, and lost 3
# faces of 19.
LEAST_IOU = 0.96
MOST_DEGREES = 1.5
MOST_EXPRESSION = 0.008


@pytest.fixture(scope="module")
def float32() -> Answers:
    return answers(PUBLISHED, "float32", PHOTOS)


@pytest.fixture(scope="module")
def emulated() -> dict[str, Answers]:
    """int8's, by family."""
    try:
        commands = emulators()
    except OSError as error:
        pytest.skip(str(error))
    return at_once(commands, PUBLISHED)


@pytest.mark.parametrize("kind", ["mfn", "sfn"])
def test_no_sum_of_two_products_leaves_16_bits(kind: str) -> None:
    """So that no processor can saturate, whatever the picture: activations are bytes, 0 to 255."""
    graph = onnx.load(PUBLISHED / f"{kind}.int8.onnx").graph
    weights = [onnx.numpy_helper.to_array(c) for c in graph.initializer if c.data_type == onnx.TensorProto.INT8]
    largest = max(int(np.abs(w.astype(int)).max()) for w in weights)
    assert 2 * 255 * largest <= 32_767
    assert largest == 64  # all of them are used


@pytest.mark.parametrize("system", SYSTEMS)
def test_on_this_processor(float32: Answers, system: str) -> None:
    require_agreement(answers(PUBLISHED, "int8", PHOTOS), float32, system)


@pytest.mark.parametrize("family", PROCESSORS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_on_emulated_processors(emulated: dict[str, Answers], float32: Answers, family: str, system: str) -> None:
    require_agreement(emulated[family], float32, system)


def require_agreement(int8: Answers, float32: Answers, system: str) -> None:
    found = deviation(int8[system], float32[system])
    assert found.found == found.expected == found.faces, found
    assert found.iou >= LEAST_IOU, found
    assert found.rotation <= MOST_DEGREES, found
    assert found.expression <= MOST_EXPRESSION, found
