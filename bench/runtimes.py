"""The published forms of a network in every runtime that is installed, each on one core."""

from collections.abc import Callable, Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from service.inference.execution import PROVIDERS, Execution
from service.inference.manifest import MANIFEST, read_manifest
from service.settings import PRECISIONS

Run = Callable[[np.ndarray], Any]  # of pictures (1, S, S, 3) uint8; copies its outputs out, as whoever reads them must


def runtimes(models: Path, kind: str) -> Iterator[tuple[str, str, Run]]:
    """Runtime, form and how to run it. kind: mfn or sfn. Forms that are not in the folder are left out."""
    networks = read_manifest(models / MANIFEST).networks
    forms = {"mfn": networks.mfn, "sfn": networks.sfn}[kind].forms
    files = {form: models / spec.file for form, spec in forms.items() if (models / spec.file).exists()}
    for provider in ("cpu", "openvino"):
        if PROVIDERS[provider].name in onnxruntime.get_available_providers():
            for precision in PRECISIONS:
                if (form := f"{precision}.onnx") in files:
                    execution = Execution(precision, provider)
                    execution.prepare()
                    run = with_onnxruntime(execution.open(files[form].read_bytes()))
                    yield f"onnxruntime {onnxruntime.__version__}, {provider}", form, run
    if find_spec("openvino"):
        for form in ("int8.onnx", "float32.onnx"):
            if form in files:
                yield f"OpenVINO {version('openvino')}", form, with_openvino(files[form])
    if find_spec("ai_edge_litert"):
        for form in ("int8.tflite", "dynamic.tflite", "float16.tflite", "float32.tflite"):
            if form in files:
                yield f"LiteRT {version('ai-edge-litert')}", form, with_litert(files[form])


def with_onnxruntime(session: onnxruntime.InferenceSession) -> Run:
    """Runs a loaded network with ONNX Runtime."""
    name = session.get_inputs()[0].name
    return lambda pictures: session.run(None, {name: pictures})


def with_openvino(file: Path) -> Run:
    """Runs a file with OpenVINO, on one core in float32."""
    import openvino

    settings = {
        "INFERENCE_NUM_THREADS": 1,
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,  # pinned it is already
        "INFERENCE_PRECISION_HINT": "f32",  # else it calculates in bfloat16 where the processor can
    }
    request = openvino.Core().compile_model(file, "CPU", settings).create_infer_request()

    def run(pictures: np.ndarray) -> list[np.ndarray]:
        answer = request.infer([pictures])
        return [answer[output].copy() for output in answer]

    return run


def with_litert(file: Path) -> Run:
    """Runs a TFLite file with LiteRT, on one core."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(file), num_threads=1)
    interpreter.allocate_tensors()
    (into,), outputs = interpreter.get_input_details(), interpreter.get_output_details()
    takes_bytes = into["dtype"] == np.uint8  # else grey levels as -1 to 1

    def run(pictures: np.ndarray) -> list[np.ndarray]:
        interpreter.set_tensor(into["index"], pictures if takes_bytes else pictures / np.float32(128) - 1)
        interpreter.invoke()
        return [interpreter.get_tensor(output["index"]) for output in outputs]

    return run
