"""All TFLite forms of small networks: what they take and answer, what their graphs hold, when they are refused."""

import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("litert_torch")
pytest.importorskip("litert_quantizer")

from ai_edge_litert import schema_py_generated as schema  # noqa: E402
from ai_edge_litert.interpreter import Interpreter  # noqa: E402
from torch import nn  # noqa: E402

from tests.training.export.conftest import livened, noise  # noqa: E402
from tests.training.export.tiny import TinyMFN, TinySFN  # noqa: E402
from training.export.agreement import Runner, TorchNetwork, differences, require_agreement  # noqa: E402
from training.export.flatbuffer import OPERATORS, named_outputs, operators, read_model, write_model  # noqa: E402
from training.export.inference_graph import InferenceGraph  # noqa: E402
from training.export.onnx_float import OUTPUTS, Bytes  # noqa: E402
from training.export.run_tflite import TfliteNetwork  # noqa: E402
from training.export.tflite import finished, write_tflite  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")  # the converter's own

FORMS = ("float32.tflite", "float16.tflite", "int8.tflite", "dynamic.tflite")
NAMES = [f"coefficient_{i}" for i in range(46)]
FILES = [f"{kind}.{form}" for kind in ("mfn", "sfn") for form in FORMS]


@pytest.fixture(scope="module")
def networks() -> dict[str, InferenceGraph]:
    torch.manual_seed(3)
    return {
        kind: InferenceGraph(livened(network), OUTPUTS[kind], noise(network.input_size))
        for kind, network in (("mfn", TinyMFN()), ("sfn", TinySFN()))
    }


def in_torch(network: nn.Module, kind: str) -> Runner:
    return TorchNetwork(network, OUTPUTS[kind])


@pytest.fixture(scope="module")
def folder(networks: dict[str, InferenceGraph], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tflite")
    for kind, network in networks.items():
        paths = write_tflite(network, kind, "1.2.3", noise(network.side), folder, NAMES)
        assert paths == {form: folder / f"{kind}.{form}" for form in FORMS}
    return folder


def model_of(path: Path) -> schema.ModelT:
    return read_model(path.read_bytes(), path.name)


@pytest.mark.parametrize("file", FILES)
def test_a_form_agrees_with_torch(file: str, folder: Path, networks: dict[str, InferenceGraph]) -> None:
    kind, _, form = file.partition(".")
    network = in_torch(networks[kind], kind)
    runner, pictures = TfliteNetwork(folder / file), noise(networks[kind].side)
    if form in ("float32.tflite", "float16.tflite"):
        apart = require_agreement(network, runner, pictures, form)
    else:  # eight bits are not exact
        apart = differences(network, runner, pictures)
        assert 1e-3 < min(apart.values()) <= max(apart.values()) < 0.25
    assert list(apart) == list(OUTPUTS[kind])


@pytest.mark.parametrize("file", FILES)
def test_one_signature_takes_a_picture_and_answers_in_float32(
    file: str, folder: Path, networks: dict[str, InferenceGraph]
) -> None:
    kind, _, form = file.partition(".")
    side = networks[kind].side
    interpreter = Interpreter(model_path=str(folder / file))
    assert list(interpreter.get_signature_list()) == ["serving_default"]
    (picture,) = interpreter.get_input_details()
    assert (picture["name"], picture["shape"].tolist()) == ("image", [1, side, side, 3])
    assert picture["dtype"] == (np.uint8 if form == "int8.tflite" else np.float32)
    assert picture["quantization"] == ((1 / 128, 128) if form == "int8.tflite" else (0, 0))
    outputs = interpreter.get_output_details()
    assert [output["name"] for output in outputs] == list(OUTPUTS[kind])
    assert {output["dtype"] for output in outputs} == {np.float32}


def test_many_pictures_are_answered_one_by_one(folder: Path) -> None:
    runner, pictures = TfliteNetwork(folder / "sfn.int8.tflite"), noise(16)
    together = runner.run(pictures)
    for i, picture in enumerate(pictures):
        for name, output in runner.run(picture[None]).items():
            np.testing.assert_array_equal(together[name][i : i + 1], output)


@pytest.mark.parametrize("file", FILES)
def test_no_layout_changes_are_left(file: str, folder: Path) -> None:
    found = Counter(operators(model_of(folder / file)))
    known = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "MUL", "PAD", "RESIZE_NEAREST_NEIGHBOR"}
    assert set(found) <= known | {"CONCATENATION", "RESHAPE", "QUANTIZE", "DEQUANTIZE"}
    assert found["MUL"] == (2 if file.startswith("mfn") else 0)  # the units of detection and pose
    if ".int8" in file:
        assert found["QUANTIZE"] == 1  # the picture's: nothing is rounded twice to be joined


def test_int8_calculates_in_8_bits_with_a_scale_a_channel(folder: Path) -> None:
    for kind in ("mfn", "sfn"):
        graph = model_of(folder / f"{kind}.int8.tflite").subgraphs[0]
        model = model_of(folder / f"{kind}.int8.tflite")
        for operator in graph.operators:
            name = OPERATORS[model.operatorCodes[operator.opcodeIndex].builtinCode]
            if name in ("CONV_2D", "DEPTHWISE_CONV_2D"):
                source, weight, _ = (graph.tensors[int(tensor)] for tensor in operator.inputs)
                assert source.type == weight.type == schema.TensorType.INT8
                assert len(weight.quantization.scale) == weight.shape[weight.quantization.quantizedDimension]
                assert not np.any(weight.quantization.zeroPoint)


def test_bytes_become_signed_numbers_exactly(folder: Path) -> None:
    model = model_of(folder / "mfn.int8.tflite")
    quantize = model.subgraphs[0].operators[operators(model).index("QUANTIZE")]
    interpreter = Interpreter(model_path=str(folder / "mfn.int8.tflite"), experimental_preserve_all_tensors=True)
    interpreter.allocate_tensors()
    every = np.arange(32 * 32 * 3, dtype=np.uint32).astype(np.uint8).reshape(1, 32, 32, 3)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], every)
    interpreter.invoke()
    found = interpreter.get_tensor(int(quantize.outputs[0]))
    np.testing.assert_array_equal(found.astype(int), every.astype(int) - 128)


def test_float16_weighs_half_and_8_bits_a_third(folder: Path) -> None:
    sizes = {
        form: sum(
            len(buffer.data) for buffer in model_of(folder / f"mfn.{form}").buffers[:-1] if buffer.data is not None
        )
        for form in FORMS
    }
    assert sizes["float16.tflite"] < 0.55 * sizes["float32.tflite"]
    assert sizes["int8.tflite"] < 0.4 * sizes["float32.tflite"]
    assert sizes["dynamic.tflite"] < 0.4 * sizes["float32.tflite"]


@pytest.mark.parametrize("kind", ["mfn", "sfn"])
def test_float16_holds_the_numbers_of_float32(kind: str, folder: Path) -> None:
    numbers = []
    for form, dtype in (("float32.tflite", np.float32), ("float16.tflite", np.float16)):
        model = model_of(folder / f"{kind}.{form}")
        half = dtype == np.float16
        wanted = schema.TensorType.FLOAT16 if half else schema.TensorType.FLOAT32
        contents = [
            model.buffers[tensor.buffer].data
            for tensor in model.subgraphs[0].tensors
            if tensor.type == wanted and len(tensor.shape) > 1
        ]
        held = [np.frombuffer(bytes(c), dtype).astype(np.float32) for c in contents if c is not None and len(c)]
        numbers.append(Counter(array.tobytes() for array in held if len(array) > 100))
    assert sum(numbers[1].values()) > 5
    assert numbers[1] <= numbers[0]
    pictures = noise(32 if kind == "mfn" else 16)
    wide, narrow = (TfliteNetwork(folder / f"{kind}.{form}").run(pictures) for form in FORMS[:2])
    for name, output in wide.items():
        np.testing.assert_array_equal(narrow[name], output)


@pytest.mark.parametrize("file", FILES)
def test_constants_are_aligned(file: str, folder: Path) -> None:
    content = (folder / file).read_bytes()
    model = schema.Model.GetRootAs(content)
    starts = [
        buffer._tab.Vector(buffer._tab.Offset(4))
        for buffer in map(model.Buffers, range(model.BuffersLength()))
        if buffer.DataLength()
    ]
    assert len(starts) > 10
    assert not any(start % 16 for start in starts)


def test_files_name_no_place(folder: Path) -> None:
    for file in FILES:
        content = (folder / file).read_bytes()
        assert str(Path.cwd()).encode() not in content
        assert b"site-packages" not in content


@pytest.mark.parametrize("kept", [0, 4, 100, 0.3, 0.7, 0.9, -1000, -30, -1])
def test_a_file_that_is_cut_off_is_refused(kept: float, folder: Path, tmp_path: Path) -> None:
    content = (folder / "mfn.int8.tflite").read_bytes()
    short = tmp_path / "short.tflite"
    short.write_bytes(content[: int(kept * len(content)) if 0 < kept < 1 else int(kept)])
    with pytest.raises(ValueError, match=r"short\.tflite is (no TFLite model|damaged|cut off)"):
        TfliteNetwork(short)


def test_a_file_with_a_hole_in_its_middle_is_refused(folder: Path, tmp_path: Path) -> None:
    content = (folder / "mfn.int8.tflite").read_bytes()
    holed = tmp_path / "holed.tflite"
    holed.write_bytes(content[: len(content) // 2] + content[len(content) // 2 + 4096 :])
    with pytest.raises(ValueError, match=r"holed\.tflite"):
        TfliteNetwork(holed)


def test_other_files_are_refused(tmp_path: Path) -> None:
    archive = tmp_path / "archive.tflite"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("README.txt", "no model")
    with pytest.raises(ValueError, match=r"archive\.tflite is no TFLite model"):
        TfliteNetwork(archive)


def test_a_form_of_another_network_is_refused(folder: Path) -> None:
    runner, other = TfliteNetwork(folder / "sfn.float16.tflite"), in_torch(Bytes(livened(TinySFN())), "sfn")
    with pytest.raises(ValueError, match=r"of float16\.tflite is .* standard deviations from the network"):
        require_agreement(other, runner, noise(16), "float16.tflite")


def test_a_graph_that_changes_layouts_is_refused(folder: Path) -> None:
    model = model_of(folder / "sfn.float32.tflite")
    model.operatorCodes[0].builtinCode = model.operatorCodes[0].deprecatedBuiltinCode = schema.BuiltinOperator.TRANSPOSE
    with pytest.raises(ValueError, match=r"form changes layouts \(TRANSPOSE\)"):
        finished(write_model(model), "form")


def test_outputs_are_in_the_graphs_order(folder: Path) -> None:
    assert list(named_outputs(model_of(folder / "mfn.int8.tflite"))) == list(OUTPUTS["mfn"])
