"""What a turn, a scale and a mirror do to a face, checked by projecting it before and after."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor  # noqa: E402

from service.vision.face_model import FaceModel  # noqa: E402
from service.vision.gaze import GAZE_NAMES  # noqa: E402
from service.vision.mirroring import mirror_partners  # noqa: E402
from service.vision.rotation import euler_to_quaternion, quaternion_to_euler  # noqa: E402
from training.data.faces import FaceLabels, Similarity  # noqa: E402
from training.networks.decoding import Landmarks, Pose  # noqa: E402

MODEL = FaceModel.load(Path("models/face_model.npz"))
PARTNER = torch.from_numpy(mirror_partners(MODEL.expression_names))
project = Landmarks(MODEL)


def labels(n: int = 8, seed: int = 0) -> FaceLabels:
    rng = np.random.default_rng(seed)
    box = np.tile(np.array([40, 30, 100, 110], np.float32), (n, 1))
    faces = FaceLabels.of_boxes(np.arange(n), box, np.zeros(n))
    angles = rng.uniform(-40, 40, (3, n))
    faces.quaternion = torch.from_numpy(euler_to_quaternion(*angles).astype(np.float32))
    faces.origin = torch.from_numpy(rng.uniform(50, 90, (n, 2)).astype(np.float32))
    faces.scale = torch.from_numpy(rng.uniform(2, 6, n).astype(np.float32))
    faces.expression = torch.from_numpy(rng.uniform(0, 0.6, (n, 46)).astype(np.float32))
    faces.points = points_of(faces)
    faces.point_weight = torch.ones(n, 68)
    return faces


def points_of(faces: FaceLabels) -> Tensor:
    points: Tensor = project(Pose(faces.quaternion, faces.origin, faces.scale), faces.identity, faces.expression)
    return points


def transforms(n: int, mirror: bool) -> Similarity:
    rng = np.random.default_rng(3)
    return Similarity(
        mirror=torch.full((n,), mirror),
        angle=torch.from_numpy(rng.uniform(-1, 1, n).astype(np.float32)),
        scale=torch.from_numpy(rng.uniform(0.3, 2, n).astype(np.float32)),
        shift=torch.from_numpy(rng.uniform(-50, 50, (n, 2)).astype(np.float32)),
    )


@pytest.mark.parametrize("mirror", [False, True])
def test_projecting_and_transforming_commute(mirror: bool) -> None:
    """The moved labels project to the moved points: pose, scale, mirrored names and point order all agree.

    The face model's own asymmetry is left out: mean and expressions are mirror images of themselves to 2 %.
    """
    faces = labels()
    moved = transforms(8, mirror).faces(faces, PARTNER)
    error = (points_of(moved) - moved.points).norm(dim=-1) / moved.scale[:, None]  # cm
    assert float(error.max()) < (0.15 if mirror else 1e-3)


def test_a_picture_turned_counter_clockwise_raises_roll() -> None:
    faces = labels(1)
    faces.quaternion = torch.tensor([[0.0, 0, 0, 1]])
    turn = Similarity(torch.tensor([False]), torch.tensor([0.5]), torch.ones(1), torch.zeros(1, 2))
    assert float(quaternion_to_euler(turn.faces(faces, PARTNER).quaternion.numpy())[2][0]) == pytest.approx(
        np.degrees(0.5), abs=1e-3
    )
    # counter-clockwise as seen: what was to the right goes up, to smaller y
    np.testing.assert_allclose(turn.points(torch.tensor([[10.0, 0.0]]))[0], [8.776, -4.794], atol=1e-3)


def test_mirroring_twice_gives_the_face_back() -> None:
    faces = labels()
    mirror = Similarity(torch.ones(8, dtype=torch.bool), torch.zeros(8), torch.ones(8), torch.zeros(8, 2))
    back = mirror.faces(mirror.faces(faces, PARTNER), PARTNER)
    for name in ("quaternion", "origin", "identity", "expression", "points", "box"):
        torch.testing.assert_close(getattr(back, name), getattr(faces, name), atol=1e-4, rtol=0)


def test_every_expression_has_a_partner_and_is_its_partner_s_partner() -> None:
    names = np.array(MODEL.expression_names)
    partner = mirror_partners(MODEL.expression_names)
    assert (partner[partner] == np.arange(46)).all()
    assert names[partner[list(names).index("eyeBlink_L")]] == "eyeBlink_R"
    assert names[partner[list(names).index("jawLeft")]] == "jawRight"
    assert names[partner[list(names).index("jawOpen")]] == "jawOpen"


def test_a_mirror_exchanges_the_eyes_and_unknown_gaze_stays_unknown() -> None:
    faces = labels(2)
    faces.gaze[0] = torch.arange(8) / 10
    mirror = Similarity(torch.ones(2, dtype=torch.bool), torch.zeros(2), torch.ones(2), torch.zeros(2, 2))
    moved = mirror.faces(faces, PARTNER).gaze
    seen = dict(zip(GAZE_NAMES, moved[0].tolist(), strict=True))
    before = dict(zip(GAZE_NAMES, faces.gaze[0].tolist(), strict=True))
    for direction in ("Down", "In", "Out", "Up"):  # toward the nose stays toward the nose
        assert seen[f"eyeLook{direction}Left"] == before[f"eyeLook{direction}Right"]
        assert seen[f"eyeLook{direction}Right"] == before[f"eyeLook{direction}Left"]
    assert bool(moved[1].isnan().all())


def test_a_box_turned_by_a_right_angle_exchanges_its_sides() -> None:
    faces = labels(1)
    turn = Similarity(
        torch.tensor([False]), torch.tensor([np.pi / 2], dtype=torch.float32), torch.ones(1), torch.zeros(1, 2)
    )
    box = turn.faces(faces, PARTNER).box[0]
    np.testing.assert_allclose(box[2:] - box[:2], [80, 60], atol=1e-3)


def test_labels_survive_the_disk(tmp_path: Path) -> None:
    faces = labels()
    faces.save(tmp_path / "faces.npz")
    back = FaceLabels.load(tmp_path / "faces.npz")
    torch.testing.assert_close(back.points, faces.points)
    assert len(back[torch.tensor([1, 3])]) == 2
