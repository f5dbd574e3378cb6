import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from service.errors import RequestError, StartError
from service.inference.execution import Execution
from service.inference.models import Models
from tests.service.tiny_models import (
    CELLS,
    IDENTITY,
    PRECISIONS,
    SFN_IDENTITY,
    SIDE,
    in_int8,
    save_sfn,
    write_manifest,
    write_models,
)

INT8, FLOAT32 = (Execution(precision=precision) for precision in PRECISIONS)


def refused(folder: Path, execution: Execution | None = None) -> str:
    with pytest.raises(StartError) as error:
        Models.load(folder, execution)
    return str(error.value)


def change_manifest(folder: Path, change: Callable[[Any], None]) -> None:
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


def test_models_are_read(models: Models) -> None:
    assert (models.manifest.name, models.manifest.version) == ("mfn", "9.9.9")
    assert models.side == SIDE
    assert {size: len(priors.centre) for size, priors in models.priors.items()} == {96: CELLS * CELLS, 192: 12 * 12}
    assert models.crop_factor == 1.4
    assert models.face_model.landmarks.mean.shape == (68, 3)


def test_a_manifest_without_input_sizes_offers_its_one(own_models_dir: Path) -> None:
    def change(manifest: Any) -> None:
        mfn = manifest["networks"]["mfn"]
        del mfn["input_sizes"]
        mfn["input"]["shape"] = [1, SIDE, SIDE, 3]

    change_manifest(own_models_dir, change)
    assert list(Models.load(own_models_dir).priors) == [SIDE]


def test_the_input_size_is_the_usual_one_or_one_that_is_offered(models: Models) -> None:
    assert [models.input_size(chosen) for chosen in (None, 96, 192)] == [96, 96, 192]
    for chosen in (0, -96, 288):
        with pytest.raises(RequestError, match=f"The parameter input_size is {chosen}; expected 96 or 192."):
            models.input_size(chosen)


def test_the_sizes_that_are_offered_are_told_in_a_sentence(own_models_dir: Path) -> None:
    change_manifest(own_models_dir, lambda manifest: manifest["networks"]["mfn"].update(input_sizes=[96, 144, 192]))
    with pytest.raises(RequestError, match="The parameter input_size is 100; expected 96, 144 or 192"):
        Models.load(own_models_dir).input_size(100)


@pytest.mark.parametrize("sizes", [[], [96, 100], [96, 0], [-96, 96]])
def test_input_sizes_that_cannot_be(own_models_dir: Path, sizes: list[int]) -> None:
    change_manifest(own_models_dir, lambda manifest: manifest["networks"]["mfn"].update(input_sizes=sizes))
    assert ("input sizes of mfn are" if sizes else "mfn needs input_sizes") in refused(own_models_dir)


def test_the_usual_input_size_comes_first(own_models_dir: Path) -> None:
    change_manifest(own_models_dir, lambda manifest: manifest["networks"]["mfn"].update(input_sizes=[192, 96]))
    models = Models.load(own_models_dir)
    assert (models.side, list(models.priors)) == (192, [192, 96])


def test_a_file_of_one_size_where_several_are_offered(own_models_dir: Path) -> None:
    path = own_models_dir / "mfn.int8.onnx"
    model = onnx.load(path)
    for dimension in model.graph.input[0].type.tensor_type.shape.dim[1:3]:
        dimension.dim_value = SIDE
    onnx.save(model, path)
    write_manifest(own_models_dir)
    assert "mfn.int8.onnx has image of shape [1, 96, 96, 3]" in refused(own_models_dir)


def test_networks_run(models: Models) -> None:
    raw = models.mfn.run(np.full((1, SIDE, SIDE, 3), 210, np.uint8))
    assert set(raw) == {"detection", "pose", "identity", "expression"}
    np.testing.assert_allclose(raw["detection"][0, :, 4], 10, rtol=1e-4)
    assert all(array.dtype == np.float32 for array in raw.values())
    raw = models.sfn.run(np.zeros((3, 128, 128, 3), np.uint8))
    assert raw["identity"].shape == (3, 50)
    assert raw["gaze"].shape == (3, 8)


def identities(models: Models) -> tuple[np.ndarray, np.ndarray]:
    """What the two networks answer, whatever they see."""
    mfn = models.mfn.run(np.zeros((1, SIDE, SIDE, 3), np.uint8))
    sfn = models.sfn.run(np.zeros((1, 128, 128, 3), np.uint8))
    return mfn["identity"][0, 0], sfn["identity"][0]


def test_int8_is_the_default(models: Models) -> None:
    assert models.execution == INT8
    for found, exact in zip(identities(models), (IDENTITY, SFN_IDENTITY), strict=True):
        np.testing.assert_array_equal(found, in_int8(exact))


def test_float32_is_served_where_chosen(models_dir: Path) -> None:
    models = Models.load(models_dir, FLOAT32)
    for found, exact in zip(identities(models), (IDENTITY, SFN_IDENTITY), strict=True):
        np.testing.assert_array_equal(found, exact)


@pytest.mark.parametrize("execution", [INT8, FLOAT32], ids=PRECISIONS)
def test_the_files_are_those_that_are_loaded(models_dir: Path, execution: Execution) -> None:
    files = Models.load(models_dir, execution).files
    assert {name: loaded.file for name, loaded in files.items()} == {
        "mfn": f"mfn.{execution.precision}.onnx",
        "sfn": f"sfn.{execution.precision}.onnx",
    }
    for loaded in files.values():
        assert loaded.sha256 == hashlib.sha256((models_dir / loaded.file).read_bytes()).hexdigest()


@pytest.mark.parametrize(("chosen", "other"), [(INT8, "float32"), (FLOAT32, "int8")], ids=PRECISIONS)
def test_the_other_form_need_not_be_there(own_models_dir: Path, chosen: Execution, other: str) -> None:
    for name in ("mfn", "sfn"):
        (own_models_dir / f"{name}.{other}.onnx").unlink()
    Models.load(own_models_dir, chosen)
    missing = refused(own_models_dir, Execution(precision=other))
    assert str(own_models_dir / f"mfn.{other}.onnx") in missing


@pytest.mark.parametrize("name", ["mfn", "sfn"])
@pytest.mark.parametrize("execution", [INT8, FLOAT32], ids=PRECISIONS)
def test_a_form_that_is_not_listed_is_named(own_models_dir: Path, name: str, execution: Execution) -> None:
    form = f"{execution.precision}.onnx"
    change_manifest(own_models_dir, lambda m: m["networks"][name]["forms"].pop(form))
    message = refused(own_models_dir, execution)
    assert f"no form {form} of {name}, only " in message
    (other,) = {"int8", "float32"} - {execution.precision}
    assert f"{other}.onnx, float16.tflite" in message
    assert "MFN_PRECISION" in message
    Models.load(own_models_dir, Execution(precision=other))


@pytest.mark.parametrize("name", ["manifest.json", "face_model.npz", "mfn.int8.onnx", "sfn.int8.onnx"])
def test_a_missing_file_is_named(own_models_dir: Path, name: str) -> None:
    (own_models_dir / name).unlink()
    assert str(own_models_dir / name) in refused(own_models_dir)


@pytest.mark.parametrize(
    ("name", "execution"),
    [
        ("face_model.npz", INT8),
        ("mfn.int8.onnx", INT8),
        ("sfn.int8.onnx", INT8),
        ("mfn.float32.onnx", FLOAT32),
        ("sfn.float32.onnx", FLOAT32),
    ],
)
@pytest.mark.parametrize("spoil", [lambda data: data[:-1], lambda data: data[:99] + bytes([data[99] ^ 1]) + data[100:]])
def test_an_altered_file_is_named(
    own_models_dir: Path, name: str, execution: Execution, spoil: Callable[[bytes], bytes]
) -> None:
    path = own_models_dir / name
    path.write_bytes(spoil(path.read_bytes()))
    message = refused(own_models_dir, execution)
    assert str(path) in message
    assert "sha256" in message


def test_forms_that_are_exchanged_are_found_out(own_models_dir: Path) -> None:
    """Each form has a checksum of its own: the float32 file under the int8 file's name is not the int8 form."""
    path = own_models_dir / "mfn.int8.onnx"
    path.write_bytes((own_models_dir / "mfn.float32.onnx").read_bytes())
    assert str(path) in refused(own_models_dir)


@pytest.mark.parametrize("name", ["face_model.npz", "mfn.int8.onnx", "sfn.int8.onnx"])
def test_a_file_that_is_no_model_is_named(own_models_dir: Path, name: str) -> None:
    (own_models_dir / name).write_bytes(b"something else")
    write_manifest(own_models_dir)  # with the checksum of the file as it is now
    assert str(own_models_dir / name) in refused(own_models_dir)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda m: m.pop("version"), "version"),
        (lambda m: m["networks"].pop("sfn"), "networks.sfn"),
        (lambda m: m["networks"]["mfn"]["levels"].clear(), "levels"),
        (lambda m: m["networks"]["mfn"].pop("forms"), "networks.mfn.forms"),
        (lambda m: m["networks"]["mfn"]["forms"].clear(), "no form int8.onnx of mfn, only nothing"),
        (lambda m: m["networks"]["mfn"]["forms"]["int8.onnx"].update(file="../mfn.onnx"), "mfn.forms.int8.onnx.file"),
        (lambda m: m["networks"]["sfn"]["forms"]["int8.onnx"].pop("sha256"), "sfn.forms.int8.onnx.sha256"),
        (lambda m: m["networks"]["mfn"].update(pad_value=0), "pad_value"),
        (lambda m: m["networks"]["mfn"]["levels"].append({"stride": 8, "anchors": [[9, 9]]}), "detection of mfn"),
        (lambda m: m["networks"]["mfn"]["outputs"].pop("pose"), "pose of mfn"),
        (lambda m: m["networks"]["mfn"]["input"].update(dtype="float32"), "expected uint8"),
        (lambda m: m["networks"]["mfn"]["input"].update(shape=[1, 3, 96]), "input of mfn"),
        (lambda m: m["networks"]["mfn"]["input"].update(name="picture"), "has picture of shape None"),
        (lambda m: m["networks"]["sfn"]["input"].update(shape=[None, 64, 64, 3]), "input of sfn"),
        (lambda m: m["networks"]["sfn"]["outputs"].update(pose=["b", 7], depth=["b", 1]), "has depth of shape None"),
        (lambda m: m["expression_names"].reverse(), "different expressions"),
        (lambda m: m.pop("gaze_names"), "an output gaze of sfn without gaze_names"),
        (lambda m: m["networks"]["sfn"]["outputs"].pop("gaze"), "gaze_names without an output gaze of sfn"),
        (lambda m: m["networks"]["sfn"]["outputs"].update(gaze=["batch", 6]), "gaze of sfn"),
        (lambda m: m["gaze_names"].pop(), "eyeLookUpLeft; expected eyeLookDownLeft"),
        (lambda m: m["gaze_names"].reverse(), "gaze_names are eyeLookUpRight"),
        (lambda m: m["gaze_names"].append("eyeLookAway"), "eyeLookAway; expected"),
        (lambda m: m["unobserved_arkit"].append("eyeLookUpLeft"), "with gaze expected tongueOut"),
        (lambda m: m["unobserved_arkit"].clear(), "unobserved_arkit is empty"),
        (lambda m: m.update(gaze_names="eyeLookDownLeft"), "gaze_names"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(
    own_models_dir: Path, change: Callable[[Any], None], expected: str
) -> None:
    change_manifest(own_models_dir, change)
    message = refused(own_models_dir)
    assert expected in message
    assert str(own_models_dir) in message


def test_models_before_gaze_are_served(models_without_gaze: Models) -> None:
    assert models_without_gaze.manifest.gaze_names == ()
    assert set(models_without_gaze.sfn.run(np.zeros((1, 128, 128, 3), np.uint8))) == {"pose", "identity", "expression"}


def test_a_manifest_with_gaze_over_networks_without_is_refused(own_models_dir: Path) -> None:
    for precision in PRECISIONS:
        save_sfn(own_models_dir / f"sfn.{precision}.onnx", precision, gaze=False)
    write_manifest(own_models_dir)
    message = refused(own_models_dir)
    assert "sfn.int8.onnx has gaze of shape None" in message


def test_models_without_gaze_that_claim_to_observe_it_are_refused(own_models_dir: Path) -> None:
    write_models(own_models_dir, gaze=False)
    change_manifest(own_models_dir, lambda m: m.update(unobserved_arkit=["tongueOut"]))
    assert "without gaze expected eyeLookInLeft" in refused(own_models_dir)
