"""Both ONNX forms against the network in torch, and what their graphs may hold."""

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from tests.training.forms.conftest import noise  # noqa: E402
from training.forms.agreement import differences, require_agreement  # noqa: E402
from training.forms.deployed import Deployed  # noqa: E402
from training.forms.onnx_float import OUTPUTS, Bytes, write_float32  # noqa: E402
from training.forms.onnx_int8 import share_constants, write_int8  # noqa: E402
from training.forms.run_onnx import OnnxNetwork  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")  # the exporter's own


@pytest.fixture(scope="session")
def folder(mfn: nn.Module, sfn: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("forms")
    for kind, network in (("mfn", mfn), ("sfn", sfn)):
        pictures = noise(network.input_size)
        write_float32(Deployed(network, OUTPUTS[kind], pictures), kind, "1.2.3", folder / f"{kind}.float32.onnx")
        write_int8(folder / f"{kind}.float32.onnx", pictures, "1.2.3", folder / f"{kind}.int8.onnx")
    return folder


@pytest.mark.parametrize("kind", ["mfn", "sfn"])
@pytest.mark.parametrize("form", ["float32.onnx", "int8.onnx"])
def test_a_form_agrees_with_torch(kind: str, form: str, folder: Path, request: pytest.FixtureRequest) -> None:
    network = request.getfixturevalue(kind)
    runner, pictures = OnnxNetwork(folder / f"{kind}.{form}"), noise(network.input_size)
    if form == "float32.onnx":
        apart = require_agreement(network, runner, pictures, form)
    else:  # eight bits are not exact, and take more from an untrained network than from a published one
        apart = differences(network, runner, pictures)
        assert 1e-3 < min(apart.values()) <= max(apart.values()) < 0.4
    assert set(apart) == set(OUTPUTS[kind])


def test_a_form_of_another_network_is_refused(sfn: nn.Module, folder: Path) -> None:
    runner = OnnxNetwork(folder / "sfn.float32.onnx")
    other = type(sfn)().eval()
    with pytest.raises(ValueError, match=r"of float32.onnx is .* standard deviations from the network"):
        require_agreement(other, runner, noise(128), "float32.onnx")


def test_a_form_with_other_outputs_is_refused(mfn: nn.Module) -> None:
    class Half:
        def run(self, images: np.ndarray) -> dict[str, np.ndarray]:
            return {"detection": np.zeros((len(images), 5, 5), np.float32)}

    with pytest.raises(ValueError, match=r"detection of shape \(1, 1701, 5\) was expected"):
        differences(mfn, Half(), noise(288))


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
    kinds = Counter()
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
    assert kinds["weights"] > 60
    assert kinds["activations"] > 60


def test_the_runtime_finds_no_layout_to_change_in_int8(folder: Path, tmp_path: Path) -> None:
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    options.log_severity_level = 3
    onnxruntime.InferenceSession(folder / "mfn.int8.onnx", options, providers=["CPUExecutionProvider"])
    operations = Counter(node.op_type for node in onnx.load(tmp_path / "optimized.onnx").graph.node)
    assert operations["Transpose"] == 0
    assert operations["Conv"] == 0  # every convolution runs in 8 bits
    assert operations["QLinearConv"] > 60


def test_equal_constants_are_kept_once(folder: Path) -> None:
    model = onnx.load(folder / "sfn.int8.onnx")
    values = [(c.data_type, tuple(c.dims), onnx.numpy_helper.to_array(c).tobytes()) for c in model.graph.initializer]
    assert len(values) == len(set(values))
    before = model.SerializeToString()
    share_constants(model)
    assert model.SerializeToString() == before


def test_any_network_can_be_written_as_it_was_trained(sfn: nn.Module, tmp_path: Path) -> None:
    path = tmp_path / "plain.onnx"
    write_float32(Bytes(sfn), "sfn", "1", path)
    require_agreement(sfn, OnnxNetwork(path), noise(128), "float32.onnx")


def test_a_file_that_is_no_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"x.onnx is not a network that can be run"):
        OnnxNetwork(tmp_path / "x.onnx")
