"""What a TFLite file says of itself, read as others read it: by the published schema and as a zip archive."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("ai_edge_litert")
pytest.importorskip("mediapipe")

import flatbuffers
from ai_edge_litert import schema_py_generated as schema
from mediapipe.tasks.metadata import metadata_schema_py_generated as terms

from service.vision.gaze import GAZE_NAMES
from training.export.flatbuffer import read_model, write_model
from training.export.metadata import About, with_metadata
from training.export.onnx_float import OUTPUTS
from training.networks.decoding import priors_of
from training.networks.mfn import MFN
from training.networks.outputs import COLUMNS

GROUPS = {kind: {name: COLUMNS[name] for name in names} for kind, names in OUTPUTS.items()}
NAMES = [f"name_{i}" for i in range(46)]


def tensor(name: str, kind: int, shape: list[int]) -> schema.TensorT:
    made = schema.TensorT()
    made.name, made.type, made.shape = name, kind, shape
    return made


def entry(name: str, number: int) -> schema.TensorMapT:
    made = schema.TensorMapT()
    made.name, made.tensorIndex = name, number
    return made


def bare_model(takes: int, groups: dict[str, int], side: int) -> bytes:
    """A model with an input and outputs but nothing between them."""
    graph, signature, model = schema.SubGraphT(), schema.SignatureDefT(), schema.ModelT()
    graph.tensors = [tensor("image", takes, [1, side, side, 3])]
    graph.tensors += [tensor(name, schema.TensorType.FLOAT32, [1, size]) for name, size in groups.items()]
    graph.inputs, graph.outputs, graph.operators = [0], list(range(1, len(graph.tensors))), []
    signature.signatureKey, signature.inputs = "serving_default", [entry("image", 0)]
    signature.outputs = [entry(name, number) for number, name in sorted(enumerate(groups, 1), key=lambda item: item[1])]
    model.version, model.subgraphs, model.signatureDefs = 3, [graph], [signature]
    model.operatorCodes, model.buffers = [], [schema.BufferT()]
    return write_model(model)


def published(kind: str, form: str, path: Path) -> Path:
    takes = schema.TensorType.UINT8 if form == "int8.tflite" else schema.TensorType.FLOAT32
    side, levels = (288, MFN.levels) if kind == "mfn" else (128, None)
    about = About(kind, form, "1.2.3", side, levels, NAMES)
    path.write_bytes(with_metadata(bare_model(takes, GROUPS[kind], side), about))
    return path


def metadata_of(path: Path) -> terms.ModelMetadata:
    model = schema.Model.GetRootAs(path.read_bytes())
    (found,) = (i for i in range(model.MetadataLength()) if model.Metadata(i).Name() == b"TFLITE_METADATA")
    content = model.Buffers(model.Metadata(found).Buffer()).DataAsNumpy().tobytes()
    assert flatbuffers.util.BufferHasIdentifier(content, 0, b"M001")
    return terms.ModelMetadata.GetRootAs(content)


@pytest.mark.parametrize("kind", ["mfn", "sfn"])
def test_the_model_and_its_tensors_are_described(kind: str, tmp_path: Path) -> None:
    metadata = metadata_of(published(kind, "float32.tflite", tmp_path / "x.tflite"))
    assert metadata.Name().decode().startswith(kind.upper())
    assert metadata.Version() == b"1.2.3"
    assert b"Apache" in metadata.License()
    assert metadata.MinParserVersion() == b"1.0.0"
    graph = metadata.SubgraphMetadata(0)
    outputs = [graph.OutputTensorMetadata(i) for i in range(graph.OutputTensorMetadataLength())]
    assert [output.Name().decode() for output in outputs] == list(GROUPS[kind])
    assert all(output.Description() for output in outputs)
    labelled = {"expression": b"expression_names.txt", "gaze": b"gaze_names.txt"}
    for output in outputs:
        assert output.AssociatedFilesLength() == (output.Name().decode() in labelled)
        if output.AssociatedFilesLength():
            labels = output.AssociatedFiles(0)
            assert labels.Name() == labelled[output.Name().decode()]
            assert labels.Type() == terms.AssociatedFileType.TENSOR_AXIS_LABELS


@pytest.mark.parametrize(("form", "least", "most"), [("float32.tflite", -1, 127 / 128), ("int8.tflite", 0, 255)])
def test_the_picture_is_rgb_with_its_normalisation(form: str, least: float, most: float, tmp_path: Path) -> None:
    picture = metadata_of(published("mfn", form, tmp_path / "x.tflite")).SubgraphMetadata(0).InputTensorMetadata(0)
    assert picture.Name() == b"image"
    assert picture.Content().ContentPropertiesType() == terms.ContentProperties.ImageProperties
    properties = terms.ImageProperties()
    properties.Init(picture.Content().ContentProperties().Bytes, picture.Content().ContentProperties().Pos)
    assert properties.ColorSpace() == terms.ColorSpaceType.RGB
    assert (properties.DefaultSize().Width(), properties.DefaultSize().Height()) == (288, 288)
    unit = picture.ProcessUnits(0)
    assert unit.OptionsType() == terms.ProcessUnitOptions.NormalizationOptions
    options = terms.NormalizationOptions()
    options.Init(unit.Options().Bytes, unit.Options().Pos)
    assert (options.MeanAsNumpy().tolist(), options.StdAsNumpy().tolist()) == ([128], [128])
    assert (picture.Stats().MinAsNumpy().tolist(), picture.Stats().MaxAsNumpy().tolist()) == ([least], [most])


def test_notes_are_an_archive_that_readers_find_behind_the_model(tmp_path: Path) -> None:
    path = published("mfn", "int8.tflite", tmp_path / "x.tflite")
    metadata = metadata_of(path)
    named = {metadata.AssociatedFiles(i).Name().decode() for i in range(metadata.AssociatedFilesLength())}
    with zipfile.ZipFile(path) as notes:
        assert set(notes.namelist()) == named | {"expression_names.txt"}
        assert {info.compress_type for info in notes.infolist()} == {zipfile.ZIP_STORED}  # as Android's readers want it
        assert notes.read("expression_names.txt").decode().split() == NAMES
        header, *rows = notes.read("anchors.csv").decode().splitlines()
        assert "detection" in notes.read("README.txt").decode()
    assert header == "cx,cy,width,height"
    priors = [[float(value) for value in row.split(",")] for row in rows]
    np.testing.assert_allclose(priors, priors_of(MFN.levels, 288).numpy())
    assert read_model(path.read_bytes(), "x").subgraphs


def test_the_single_face_networks_prior_is_its_input(tmp_path: Path) -> None:
    with zipfile.ZipFile(published("sfn", "int8.tflite", tmp_path / "x.tflite")) as notes:
        assert notes.read("anchors.csv").decode() == "cx,cy,width,height\n64,64,128,128\n"
        assert "detection" not in notes.read("README.txt").decode()
        assert notes.read("gaze_names.txt").decode().split() == list(GAZE_NAMES)


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = (published("mfn", "int8.tflite", tmp_path / name) for name in ("a.tflite", "b.tflite"))
    assert first.read_bytes() == second.read_bytes()


def test_names_that_are_not_one_a_coefficient_are_refused() -> None:
    about = About("sfn", "int8.tflite", "1", 128, None, NAMES[:-1])
    content = bare_model(schema.TensorType.UINT8, GROUPS["sfn"], 128)
    with pytest.raises(ValueError, match="gives 46 expression coefficients; names are 45"):
        with_metadata(content, about)
