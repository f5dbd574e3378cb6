"""Both ONNX forms against the network in torch, and what their graphs may hold."""

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from tests.training.export.conftest import noise  # noqa: E402
from training.export.agreement import Runner, TorchNetwork, differences, require_agreement  # noqa: E402
from training.export.calibration import mosaics  # noqa: E402
from training.export.inference_graph import InferenceGraph  # noqa: E402
from training.export.onnx_float import OUTPUTS, Bytes, write_float32  # noqa: E402
from training.export.onnx_half import halve  # noqa: E402
from training.export.onnx_int8 import share_constants, write_int8  # noqa: E402
from training.export.onnx_layout import lay_out  # noqa: E402
from training.export.onnx_sizes import free_sizes  # noqa: E402
from training.export.run_onnx import OnnxNetwork  # noqa: E402
from training.networks.decoding import priors_of  # noqa: E402
from training.networks.mfn import MFN  # noqa: E402
from training.networks.outputs import FaceNetwork  # noqa: E402
from training.networks.sfn import SFN  # noqa: E402

CONVOLUTIONS = sum(isinstance(layer, nn.Conv2d) for layer in MFN().modules())

pytestmark = pytest.mark.filterwarnings("ignore")  # the exporter's own


@pytest.fixture(scope="session")
def inference_graph(mfn: FaceNetwork, sfn: FaceNetwork) -> dict[str, InferenceGraph]:
    return {
        kind: InferenceGraph(network, OUTPUTS[kind], noise(network.input_size))
        for kind, network in (("mfn", mfn), ("sfn", sfn))
    }


@pytest.fixture(scope="session")
def folder(inference_graph: dict[str, InferenceGraph], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both forms, float32 as int8 is made from it."""
    folder = tmp_path_factory.mktemp("forms")
    for kind, network in inference_graph.items():
        write_float32(network, kind, "1.2.3", folder / f"{kind}.float32.onnx")
        write_int8(folder / f"{kind}.float32.onnx", noise(network.side), "1.2.3", folder / f"{kind}.int8.onnx")
    return folder


@pytest.fixture(scope="session")
def halved(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """float32 as it is published."""
    halved = tmp_path_factory.mktemp("halved")
    for kind in OUTPUTS:
        shutil.copyfile(folder / f"{kind}.float32.onnx", halved / f"{kind}.float32.onnx")
        halve(halved / f"{kind}.float32.onnx")
    return halved


@pytest.fixture(scope="session")
def laid_out(folder: Path, halved: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both forms as they are published."""
    published = tmp_path_factory.mktemp("published")
    for kind in OUTPUTS:
        for form, source in (("float32", halved), ("int8", folder)):
            shutil.copyfile(source / f"{kind}.{form}.onnx", published / f"{kind}.{form}.onnx")
            lay_out(published / f"{kind}.{form}.onnx")
    return published


def in_torch(network: nn.Module, kind: str) -> Runner:
    return TorchNetwork(network, OUTPUTS[kind])


@pytest.mark.parametrize("kind", ["mfn", "sfn"])
@pytest.mark.parametrize("form", ["float32.onnx", "int8.onnx"])
def test_a_form_agrees_with_torch(
    kind: str, form: str, folder: Path, inference_graph: dict[str, InferenceGraph]
) -> None:
    network = in_torch(inference_graph[kind], kind)
    runner, pictures = OnnxNetwork(folder / f"{kind}.{form}"), noise(inference_graph[kind].side)
    if form == "float32.onnx":
        apart = require_agreement(network, runner, pictures, form)
    else:  # eight bits take more from an untrained network than from a published one; unrelated answers are 1.4 apart
        apart = differences(network, runner, pictures)
        most = {name: 0.7 if name == "gaze" else 0.4 for name in apart}  # of an untrained network, gaze varies least
        assert all(1e-3 < apart[name] < most[name] for name in apart), apart
    assert set(apart) == set(OUTPUTS[kind])


@pytest.mark.parametrize("form", ["float32.onnx", "int8.onnx"])
def test_mfn_takes_every_size_that_it_is_published_for(
    form: str, folder: Path, inference_graph: dict[str, InferenceGraph]
) -> None:
    runner, network = OnnxNetwork(folder / f"mfn.{form}"), in_torch(inference_graph["mfn"], "mfn")
    assert inference_graph["mfn"].sides == (288, 416, 576)
    for side in inference_graph["mfn"].sides:
        pictures = mosaics(noise(288)[:2], side)
        assert runner.run(pictures[:1])["pose"].shape == (1, len(priors_of(MFN.levels, side)), 7)
        apart = differences(network, runner, pictures)
        assert max(apart.values()) < (1e-4 if form == "float32.onnx" else 0.4)


def test_a_shape_that_is_bound_to_one_size_is_refused() -> None:
    helper, value = onnx.helper, onnx.helper.make_tensor_value_info
    shape = helper.make_tensor("shape", onnx.TensorProto.INT64, [2], [1, 12])
    graph = helper.make_graph(
        [helper.make_node("Relu", ["image"], ["x"]), helper.make_node("Reshape", ["x", "shape"], ["y"], "flat")],
        "x", [value("image", onnx.TensorProto.FLOAT, [1, 2, 2, 3])], [value("y", onnx.TensorProto.FLOAT, [1, 12])],
        [shape],
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"flat gives the shape \[1, 12\] whatever the size"):
        free_sizes(helper.make_model(graph))


def test_a_form_of_another_network_is_refused(folder: Path) -> None:
    runner = OnnxNetwork(folder / "sfn.float32.onnx")
    other = in_torch(Bytes(SFN()), "sfn")
    with pytest.raises(ValueError, match=r"of float32.onnx is .* standard deviations from the network"):
        require_agreement(other, runner, noise(128), "float32.onnx")


def test_a_form_with_other_outputs_is_refused(mfn: FaceNetwork) -> None:
    class Half:
        def run(self, images: np.ndarray) -> dict[str, np.ndarray]:
            return {"detection": np.zeros((len(images), 5, 5), np.float32)}

    with pytest.raises(ValueError, match=r"detection of shape \(1, 1701, 5\) was expected"):
        differences(in_torch(Bytes(mfn), "mfn"), Half(), noise(288))


@pytest.mark.parametrize("kind", ["mfn", "sfn"])
def test_bytes_go_in_and_the_normalisation_is_one_reading(kind: str, folder: Path) -> None:
    for form in ("float32.onnx", "int8.onnx"):
        model = onnx.load(folder / f"{kind}.{form}")
        assert model.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.UINT8
        operations = Counter(node.op_type for node in model.graph.node)
        assert operations["Cast"] == operations["Sub"] == 0
        assert [output.name for output in model.graph.output] == list(OUTPUTS[kind])
        assert (model.producer_name, model.producer_version) == ("mfn", "1.2.3")
        assert not any(node.doc_string or node.metadata_props for node in model.graph.node)


def test_int8_weights_are_signed_with_a_scale_a_channel_and_activations_unsigned(folder: Path) -> None:
    graph = onnx.load(folder / "mfn.int8.onnx").graph
    constants = {c.name: onnx.numpy_helper.to_array(c) for c in graph.initializer}
    kinds: Counter[str] = Counter()
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in constants and constants[node.input[0]].ndim == 4:
            weight, scale, zero = (constants[name] for name in node.input)
            assert weight.dtype == np.int8
            assert scale.shape == weight.shape[:1]
            assert not zero.any()
            kinds["weights"] += 1
        if node.op_type == "QuantizeLinear":
            assert constants[node.input[2]].dtype == np.uint8
            kinds["activations"] += 1
    assert kinds["weights"] == CONVOLUTIONS
    assert kinds["activations"] >= CONVOLUTIONS


def test_the_runtime_finds_no_layout_to_change_in_int8(folder: Path, tmp_path: Path) -> None:
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    options.log_severity_level = 3
    onnxruntime.InferenceSession(folder / "mfn.int8.onnx", options, providers=["CPUExecutionProvider"])
    operations = Counter(node.op_type for node in onnx.load(tmp_path / "optimized.onnx").graph.node)
    assert operations["Transpose"] == 0
    assert operations["Conv"] == 0  # every convolution runs in 8 bits
    assert operations["QLinearConv"] == CONVOLUTIONS


def test_equal_constants_are_kept_once(folder: Path) -> None:
    model = onnx.load(folder / "sfn.int8.onnx")
    values = [(c.data_type, tuple(c.dims), onnx.numpy_helper.to_array(c).tobytes()) for c in model.graph.initializer]
    assert len(values) == len(set(values))
    before = model.SerializeToString()
    share_constants(model)
    assert model.SerializeToString() == before


def test_any_network_can_be_written_as_it_was_trained(sfn: FaceNetwork, tmp_path: Path) -> None:
    path = tmp_path / "plain.onnx"
    write_float32(Bytes(sfn), "sfn", "1", path)
    require_agreement(in_torch(Bytes(sfn), "sfn"), OnnxNetwork(path), noise(128), "float32.onnx")


LEVELS = (
    onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL,
)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("kind", ["mfn", "sfn"])
@pytest.mark.parametrize("form", ["float32", "int8"])
def test_how_constants_are_stored_changes_neither_answers_nor_operations(
    kind: str, form: str, level: onnxruntime.GraphOptimizationLevel, folder: Path, laid_out: Path, tmp_path: Path
) -> None:
    answers, operations = [], []
    for place in (folder, laid_out):
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = level
        options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
        options.intra_op_num_threads, options.log_severity_level = 1, 3
        path = place / f"{kind}.{form}.onnx"
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        answers.append(session.run(None, {"image": noise(288 if kind == "mfn" else 128)[:1]}))
        operations.append(Counter(node.op_type for node in onnx.load(tmp_path / "optimized.onnx").graph.node))
    for plain, published in zip(*answers, strict=True):
        np.testing.assert_array_equal(published, plain)
    assert operations[0] == operations[1]  # casts and turns are done when the file is loaded


@pytest.mark.parametrize("kind", ["mfn", "sfn"])
@pytest.mark.parametrize("form", ["float32", "int8"])
def test_convolutions_are_stored_with_the_channels_last(kind: str, form: str, folder: Path, laid_out: Path) -> None:
    plain, published = (
        {c.name: onnx.numpy_helper.to_array(c) for c in onnx.load(place / f"{kind}.{form}.onnx").graph.initializer}
        for place in (folder, laid_out)
    )
    turned = {name: values for name, values in published.items() if name.endswith("_stored")}
    assert len(turned) > 10
    for name, values in turned.items():
        before = plain[name.removesuffix("_stored").removesuffix("_half")]
        depthwise = before.shape[1] == 1  # one filter a channel: TFLite has the channels at the end all the same
        np.testing.assert_array_equal(values, np.einsum("oihw->ihwo" if depthwise else "oihw->ohwi", before))


@pytest.mark.parametrize("kind", ["mfn", "sfn"])
def test_constants_in_float16_take_half_the_bytes(kind: str, folder: Path, halved: Path) -> None:
    name = f"{kind}.float32.onnx"
    assert (halved / name).stat().st_size < 0.56 * (folder / name).stat().st_size
    graph = onnx.load(halved / name).graph
    sizes = {c.name: (c.data_type, int(np.prod(c.dims))) for c in graph.initializer}
    casts = [node for node in graph.node if node.op_type == "Cast"]
    assert casts
    assert {sizes[cast.input[0]][0] for cast in casts} == {onnx.TensorProto.FLOAT16}
    assert max(size for kind, size in sizes.values() if kind == onnx.TensorProto.FLOAT) <= 256


def test_constants_that_float16_does_not_hold_stay(tmp_path: Path) -> None:
    helper, path = onnx.helper, tmp_path / "x.onnx"
    values = {"fine": np.full(300, 0.5, np.float32), "many_digits": np.full(300, 0.1, np.float32)}
    values |= {"large": np.full(300, 1e6, np.float32), "few": np.ones(3, np.float32)}
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Concat", list(values), ["y"], axis=0)],
        "x", [], [value("y", onnx.TensorProto.FLOAT, [903])],
        [onnx.numpy_helper.from_array(array, name) for name, array in values.items()],
    )  # fmt: skip
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), path)
    halve(path)
    kept = {c.name for c in onnx.load(path).graph.initializer if c.data_type == onnx.TensorProto.FLOAT}
    assert kept == {"many_digits", "large", "few"}
    (answer,) = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {})
    np.testing.assert_array_equal(answer, np.concatenate(list(values.values())))


def test_a_file_that_is_no_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"x.onnx is not a network that can be run"):
        OnnxNetwork(tmp_path / "x.onnx")
