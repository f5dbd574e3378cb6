"""A network as TFLite, in four forms, for phones and whatever else runs LiteRT.

float32 is converted from PyTorch; float16, dynamic and int8 are made from it (training/export/tflite_quantization.py).
All have the signature serving_default with the input image, (1, S, S, 3), and one float32 output a group. float32,
float16 and dynamic take normalised pictures, as the NormalizationOptions of their metadata say, which MediaPipe and
other readers of it follow by themselves; int8 takes uint8 pictures as they are.
"""

import contextlib
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import litert_torch
import numpy as np
import torch

from training.export.channels_last import ChannelsLast
from training.export.flatbuffer import operators, read_model, rename, write_model
from training.export.inference_graph import InferenceGraph
from training.export.metadata import About, with_metadata
from training.export.signature import IMAGE, SIGNATURE
from training.export.tflite_quantization import to_dynamic, to_float16, to_int8

LAYOUT_CHANGES = {"TRANSPOSE", "SPACE_TO_DEPTH", "DEPTH_TO_SPACE", "GATHER", "STRIDED_SLICE", "SLICE", "SPLIT"}


def write_tflite(
    graph: InferenceGraph, kind: str, version: str, pictures: np.ndarray, folder: Path, expression_names: Sequence[str]
) -> dict[str, Path]:
    """Writes KIND.float32.tflite, .float16.tflite, .int8.tflite and .dynamic.tflite.

    kind: mfn or sfn. pictures: (N, S, S, 3) uint8 that int8 takes its ranges from, checked by the caller. folder:
    exists. expression_names: of the coefficients, in order.

    Returns the paths by form, as in FORMS. Raises ValueError where a graph is not as promised above.
    """
    float32 = convert(graph)
    contents = {
        "float32.tflite": float32,
        "float16.tflite": to_float16(float32),
        "int8.tflite": to_int8(float32, pictures),
        "dynamic.tflite": to_dynamic(float32),
    }
    paths = {}
    for form, content in contents.items():
        about = About(kind, form, version, graph.side, getattr(graph.network, "levels", None), expression_names)
        paths[form] = folder / f"{kind}.{form}"
        paths[form].write_bytes(with_metadata(finished(content, form), about))
    return paths


def convert(graph: InferenceGraph) -> bytes:
    """The float32 form, without metadata."""
    module = ChannelsLast(graph).eval()
    image = torch.zeros(1, graph.side, graph.side, 3)
    with contextlib.redirect_stdout(io.StringIO()):  # its progress
        return bytes(litert_torch.convert(module, sample_kwargs={IMAGE: image}).model_content())


def finished(content: bytes, form: str) -> bytes:
    """The model with tensors named after its signature. Raises ValueError where it is not as promised."""
    model = read_model(content, form)
    if changes := Counter(operators(model)).keys() & LAYOUT_CHANGES:
        raise ValueError(f"{form} changes layouts ({', '.join(sorted(changes))}); the converter is expected not to")
    names = [signature.signatureKey.decode() for signature in model.signatureDefs]
    if names != [SIGNATURE]:
        raise ValueError(f"{form} has the signatures {names}; {SIGNATURE} alone was expected")
    rename(model, IMAGE)
    return write_model(model)
