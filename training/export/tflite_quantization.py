"""The smaller TFLite forms of a float32 one, by LiteRT's quantizer.

- float16: weights in half the bytes; a runtime widens them once, when it loads the model.
- dynamic: int8 weights with a scale a channel; activations are float32 between the layers and int8 within them, with a
  range found anew for every picture. Needs no calibration.
- int8: activations are int8 too, their ranges the least and the greatest value on calibration pictures. Narrower ones
  (of the least squared or cubed error, percentiles) gained nothing where faces are: a face is the rare thing on a
  picture, and makes the extremes.

What stays float32 besides costs next to nothing. In both: SFN's last linear layers, whose outputs gain from it. (Linear
layers of int8 weights with a scale a channel also gave wrong answers, without a word, in dynamic on TensorFlow Lite
2.14.) In int8: the multiplications by output scales that end MFN's detection and pose (see
training/export/inference_graph.py).
"""

import contextlib
import io
import re
import warnings
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from litert_quantizer import calibrator, recipe
from litert_quantizer.algorithm_manager import AlgorithmName
from litert_quantizer.qtyping import TFLOperationName
from litert_quantizer.quantizer import Quantizer
from litert_quantizer.recipe_manager import RecipeManager
from litert_quantizer.utils.qsv_utils import min_max_update

from training.export.flatbuffer import (
    named_outputs,
    operator_index,
    operator_name,
    producers,
    read_model,
    write_model,
)
from training.export.signature import BRIGHTEST, DARKEST, IMAGE, SIGNATURE, normalized_pictures
from training.networks.layers import ZERO_LEVEL

FLOAT16_BITS = 16
ENDING = (TFLOperationName.MUL, TFLOperationName.FULLY_CONNECTED)  # stay float32 where they make an output
ARRANGING = ("MUL", "CONCATENATION", "RESHAPE")  # from an output back to the last layers of its heads

Ranges = dict[str, dict[str, np.ndarray]]  # "min" and "max", one number each, by a tensor's name


def to_float16(content: bytes) -> bytes:
    """Casts the weights of a float32 model to float16."""
    recipes = RecipeManager()
    recipes.add_weight_only_config(
        ".*", TFLOperationName.ALL_SUPPORTED, FLOAT16_BITS, algorithm_key=AlgorithmName.FLOAT_CASTING
    )
    return quantize(content, recipes.get_quantization_recipe())


def to_dynamic(content: bytes) -> bytes:
    """Quantizes the weights of a float32 model to int8; activations are quantized as each picture is run."""
    recipes = RecipeManager()
    recipes.load_quantization_recipe(recipe.dynamic_wi8_afp32())
    recipes.add_quantization_config(".*", TFLOperationName.FULLY_CONNECTED, algorithm_key=AlgorithmName.NO_QUANTIZE)
    return quantize(content, recipes.get_quantization_recipe())


def to_int8(content: bytes, pictures: np.ndarray) -> bytes:
    """The form that takes uint8 pictures as they are. pictures: (N, S, S, 3) uint8, checked by the caller."""
    model = read_model(content, "the float32 form")
    recipes = RecipeManager()
    recipes.load_quantization_recipe(recipe.static_wi8_ai8())
    for kind in (TFLOperationName.INPUT, TFLOperationName.OUTPUT):
        recipes.add_quantization_config(".*", kind, algorithm_key=AlgorithmName.NO_QUANTIZE)
    for output in named_outputs(model).values():
        for kind in ENDING:
            name = re.escape(name_of(model, output))
            recipes.add_quantization_config(name, kind, algorithm_key=AlgorithmName.NO_QUANTIZE)
    ranges = calibrate(content, recipes, pictures)
    ranges[name_of(model, int(model.subgraphs[0].inputs[0]))] = one_range(DARKEST, BRIGHTEST)
    share_ranges(model, ranges)
    return take_bytes(quantize(content, recipes.get_quantization_recipe(), ranges))


def quantize(content: bytes, chosen: Any, ranges: Ranges | None = None) -> bytes:
    """Runs LiteRT's quantizer. chosen: its recipe. ranges: of activations, where the recipe quantizes them
    statically."""
    tool = Quantizer(content, chosen)
    with contextlib.redirect_stderr(io.StringIO()):  # its progress
        result = tool.quantize(ranges, enable_progress_bar=False, enable_progress_report=False)
    return bytes(result.quantized_model)


def calibrate(content: bytes, recipes: RecipeManager, pictures: np.ndarray) -> Ranges:
    """The least and the greatest value of each activation that is to be quantised."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*experimental_preserve_all_tensors")  # memory is no concern here
        calibration = calibrator.Calibrator(content, num_threads=1, qsv_update_func=min_max_update)
    with contextlib.redirect_stderr(io.StringIO()):  # its progress
        calibration.calibrate({SIGNATURE: [{IMAGE: image} for image in normalized_pictures(pictures)]}, recipes)
    ranges: Ranges = calibration.get_model_qsvs()
    return ranges


def name_of(model: schema.ModelT, tensor: int) -> str:
    """A tensor's name."""
    return str(model.subgraphs[0].tensors[tensor].name.decode())


def one_range(least: float, greatest: float) -> dict[str, np.ndarray]:
    """A tensor's range as the quantizer takes it."""
    return {"min": np.array([[least]], np.float32), "max": np.array([[greatest]], np.float32)}


def share_ranges(model: schema.ModelT, ranges: Ranges) -> None:
    """Gives the last layers of an output's heads one range together, so that nothing is rounded again to join them.

    Scaled columns are clipped to -1..1, see training/export/inference_graph.py.
    """
    made_by = producers(model)
    for output in named_outputs(model).values():
        joined, following = set(), [output]
        while following:
            tensor = following.pop()
            joined.add(name_of(model, tensor))
            if operator_name(model, made_by[tensor]) in ARRANGING:
                following += [int(source) for source in made_by[tensor].inputs if int(source) in made_by]
        known = [ranges[name] for name in joined if name in ranges]
        if known:
            least, greatest = min(r["min"].min() for r in known), max(r["max"].max() for r in known)
            if operator_name(model, made_by[output]) == "MUL":
                least, greatest = -1.0, 1.0
            ranges.update({name: one_range(least, greatest) for name in joined if name in ranges})


def take_bytes(content: bytes) -> bytes:
    """Puts uint8 pictures in place of float32 ones: v is (v - 128) / 128, widened first and quantised right after.

    XNNPACK does both steps in vectors and in the same run as all that follows. The one operation that turns uint8 into
    int8 it does not know, and LiteRT's own took 6 % of MFN's time and 13 % of SFN's.
    """
    model = read_model(content, "the int8 form")
    graph, entry = model.subgraphs[0], model.signatureDefs[0].inputs[0]
    numbers = int(entry.tensorIndex)
    readers = [operator_name(model, operator) for operator in graph.operators if numbers in operator.inputs]
    if readers != ["QUANTIZE"]:
        raise ValueError(f"the int8 form's picture is read by {readers}; QUANTIZE alone was expected")
    picture = schema.TensorT()
    picture.name, picture.type, picture.shape = b"bytes", schema.TensorType.UINT8, graph.tensors[numbers].shape
    picture.quantization = schema.QuantizationParametersT()
    picture.quantization.scale, picture.quantization.zeroPoint = [1 / ZERO_LEVEL], [int(ZERO_LEVEL)]
    graph.tensors.append(picture)
    entry.tensorIndex = len(graph.tensors) - 1
    graph.inputs = [entry.tensorIndex]
    widening = schema.OperatorT()
    widening.opcodeIndex = operator_index(model, "DEQUANTIZE")
    widening.inputs, widening.outputs = [entry.tensorIndex], [numbers]
    widening.builtinOptionsType = schema.BuiltinOptions.DequantizeOptions
    widening.builtinOptions = schema.DequantizeOptionsT()
    graph.operators.insert(0, widening)
    return write_model(model)
