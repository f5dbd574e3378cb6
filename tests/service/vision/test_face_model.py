"""The face model and its projection against hand-computed values and the published file."""

import contextlib
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.vision import face_model
from service.vision.face_model import EXPRESSIONS, IDENTITY_MODES, LANDMARKS, FaceModel, LinearShape, project
from service.vision.rotation import euler_to_quaternion

PUBLISHED = Path(__file__).parents[3] / "models" / "face_model.npz"
UPRIGHT = np.array([0, 0, 0, 1.0])


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return FaceModel.load(PUBLISHED)


def one_point_model() -> LinearShape:
    identity, expression = np.zeros((IDENTITY_MODES, 1, 3)), np.zeros((EXPRESSIONS, 1, 3))
    identity[3, 0] = [1, 0, 0]
    expression[7, 0] = [0, 2, 0]
    return LinearShape(np.array([[0.5, 1, 10.0]]), identity, expression)


def test_a_shape_is_the_mean_plus_weighted_offsets() -> None:
    w_id, w_exp = np.zeros(IDENTITY_MODES), np.zeros(EXPRESSIONS)
    w_id[3], w_exp[7] = -2, 0.25
    np.testing.assert_allclose(one_point_model().shape(w_id, w_exp), [[-1.5, 1.5, 10]])


def test_shapes_take_any_leading_dimensions(model: FaceModel) -> None:
    rng = np.random.default_rng(0)
    w_id, w_exp = rng.normal(size=(2, 3, IDENTITY_MODES)), rng.random((2, 3, EXPRESSIONS))
    shapes = model.landmarks.shape(w_id, w_exp)
    assert shapes.shape == (2, 3, LANDMARKS, 3)
    np.testing.assert_allclose(shapes[1, 2], model.landmarks.shape(w_id[1, 2], w_exp[1, 2]), atol=1e-5)


def test_projection_by_hand() -> None:
    """Equation 2: u = W/2 + s (x + tx), v = H/2 - s (y + ty)."""
    points = np.array([[1, 2, 30.0]])
    pixels = project(points, UPRIGHT, np.array([0.5, -1, -99]), np.array(4.0), 100, 50)
    np.testing.assert_allclose(pixels, [[50 + 4 * 1.5, 25 - 4 * 1.0]])


def test_a_turn_to_the_image_right_moves_the_nose_right_and_hides_nothing_else(model: FaceModel) -> None:
    shape = model.landmarks.shape(np.zeros(IDENTITY_MODES), np.zeros(EXPRESSIONS))
    turned = [
        project(shape, euler_to_quaternion(yaw, pitch, 0), np.zeros(3), np.array(10.0), 0, 0)
        for yaw, pitch in ((0, 0), (20, 0), (0, 20))
    ]
    nose = [pixels[30] - pixels[[36, 45]].mean(axis=0) for pixels in turned]
    assert nose[1][0] > nose[0][0] + 5
    assert nose[2][1] > nose[0][1] + 5  # looking down: lower in the picture


def test_the_projection_is_differentiable_as_its_formula_says(model: FaceModel) -> None:
    """Finite differences of the pixels against s R d(shape)/dw."""
    rng = np.random.default_rng(1)
    w_id, w_exp = rng.normal(size=IDENTITY_MODES), rng.random(EXPRESSIONS)
    quaternion, scale = euler_to_quaternion(25, -10, 40), np.array(7.0)

    def pixels(w: np.ndarray) -> np.ndarray:
        shape = model.landmarks.shape(w_id.astype(float), w).astype(np.float64)
        return project(shape, quaternion, np.array([1, 2, 0.0]), scale, 640, 480)

    step = 1e-2
    for j in (0, 20, 45):
        bump = np.zeros(EXPRESSIONS)
        bump[j] = step
        numeric = (pixels(w_exp + bump) - pixels(w_exp - bump)) / (2 * step)
        offset = model.landmarks.expression[j].astype(np.float64)
        exact = project(offset, quaternion, np.zeros(3), scale, 0, 0)
        np.testing.assert_allclose(numeric, exact, atol=2e-2)


def test_published_model_has_the_contract_s_sizes(model: FaceModel) -> None:
    assert len(model.expression_names) == EXPRESSIONS
    assert model.expression_names[-1] == "eyeLookDown"
    assert [n for n in model.expression_names if n.startswith("eyeLook")] == ["eyeLookDown"]
    assert model.landmarks.mean.shape == (LANDMARKS, 3)
    vertices = len(model.mesh.mean)
    assert model.mesh.identity.shape == (IDENTITY_MODES, vertices, 3)
    assert model.triangles.min() == 0
    assert model.triangles.max() == vertices - 1


def test_left_and_right_in_names_are_the_subject_s(model: FaceModel) -> None:
    """A blink of the left eye lowers lid points 43 and 44, at the image's right of an unturned face."""
    w_exp = np.zeros(EXPRESSIONS)
    w_exp[model.expression_names.index("eyeBlink_L")] = 1
    moved = model.landmarks.shape(np.zeros(IDENTITY_MODES), w_exp) - model.landmarks.mean
    assert (moved[[43, 44], 1] < -0.3).all()
    assert np.abs(moved[[37, 38]]).max() < 0.05
    assert (model.landmarks.mean[[43, 44], 0] > 0).all()


def test_triangles_face_outward(model: FaceModel) -> None:
    """Counter-clockwise from outside: almost all of an unturned face's triangles look at the viewer."""
    a, b, c = (model.mesh.mean[model.triangles[:, i]] for i in range(3))
    assert (np.cross(b - a, c - a)[:, 2] > 0).mean() > 0.9


def test_the_mesh_carries_the_same_face_as_the_landmarks(model: FaceModel) -> None:
    """Every landmark has a mesh vertex within a centimetre, under any coefficients."""
    rng = np.random.default_rng(2)
    w_id, w_exp = rng.normal(size=IDENTITY_MODES), rng.random(EXPRESSIONS) * 0.5
    landmarks, mesh = model.landmarks.shape(w_id, w_exp), model.mesh.shape(w_id, w_exp)
    distance = np.linalg.norm(landmarks[:, None] - mesh[None], axis=-1).min(axis=1)
    assert distance.max() < 1.0


def test_a_file_that_is_no_face_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "face_model.npz"
    path.write_text("not a face model")
    with pytest.raises(ValueError, match="not a zip file"):
        FaceModel.load(path)
    with pytest.raises(FileNotFoundError):
        FaceModel.load(tmp_path / "none.npz")


def save(path: Path, **changed: Any) -> Path:
    """The published file with other arrays."""
    with np.load(PUBLISHED) as arrays:
        np.savez(path, **{**arrays, **changed}, allow_pickle=False)
    return path


MEAN = np.zeros((68, 3), np.float32)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"landmarks_mean": MEAN[:-1]}, r"landmarks_mean is float32 \(67, 3\); expected f of shape \(68, 3\)"),
        ({"landmarks_mean": MEAN.astype(int)}, "landmarks_mean is int64"),
        ({"landmarks_mean": MEAN + np.nan}, "landmarks has coordinates beyond 1000 cm"),
        ({"landmarks_mean": MEAN + np.inf}, "landmarks has coordinates beyond"),
        ({"mesh_mean": np.array(1.0)}, r"mesh_mean is float64 \(\)"),
        ({"mesh_mean": MEAN}, "mesh_identity"),
        ({"triangles": np.array([[0, 1, 1400]])}, "triangles has"),
        ({"triangles": np.array([[0, 1, -1]])}, "triangles has"),
        ({"triangles": np.zeros((0, 3), int)}, "triangles has"),
        ({"expression_names": np.array(["jawOpen"])}, "expression_names"),
    ],
)
def test_arrays_that_are_no_face_model_s_are_refused(changed: dict[str, Any], expected: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=expected):
        FaceModel.load(save(tmp_path / "face_model.npz", **changed))


def test_an_archive_that_grows_when_it_is_opened_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(face_model, "MAX_BYTES", 2**22)
    path = tmp_path / "face_model.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("triangles.npy", "w") as member:
        member.write(bytes(2**22 + 128))
    assert path.stat().st_size < 2**14
    with pytest.raises(ValueError, match="4194432 bytes, more than 4194304"):
        FaceModel.load(path)


@given(data=st.data())
def test_a_damaged_file_is_refused_or_is_whole(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Of most damages the archive's checksums tell."""
    whole = PUBLISHED.read_bytes()
    cut = data.draw(st.integers(0, len(whole)))
    at = data.draw(st.one_of(st.integers(0, len(whole) - 1), st.integers(len(whole) - 2000, len(whole) - 1)))
    flipped = whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :]
    path = tmp_path_factory.mktemp("damaged") / "face_model.npz"
    path.write_bytes(data.draw(st.sampled_from([whole[:cut], flipped])))
    with contextlib.suppress(ValueError, OSError):
        FaceModel.load(path)
