"""Who labels a face, on faces of the face model whose pose and expression are known."""

import sys
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("cv2")

import torch

from service.vision.face_model import FaceModel, project
from service.vision.rotation import euler_to_quaternion, quaternion_to_euler, quaternion_to_matrix
from training.data.archives import SETS, box_of_points
from training.data.faces import FaceLabels
from training.data.sources import Source, read_sources
from training.labels import combine as program
from training.labels.combine import SFN_TRUST, combine, fit_second, in_order_of, summary, yaw_of_points
from training.labels.second_teacher import SecondAnswers

MODEL = FaceModel.load(Path("models/face_model.npz"))
JAW_OPEN = MODEL.expression_names.index("jawOpen")
MIDDLE = np.array([150.0, 140])  # where the head frame's origin projects, pixels
PIXELS_A_CM = 6.0
FIRST, SECOND, SFN, NOBODY = Source.FIRST_TEACHER, Source.SECOND_TEACHER, Source.SFN, Source.NOBODY


@dataclass
class Known:
    """Faces with these yaws; quaternion (N, 4), points (N, 68, 3) y down, z toward the viewer, expression (N, 46)."""

    yaw: np.ndarray
    jaw_open: float = 0.5

    def __post_init__(self) -> None:
        n = len(self.yaw)
        self.quaternion = euler_to_quaternion(self.yaw, np.full(n, 15.0), np.full(n, -20.0))
        self.expression = np.zeros((n, 46))
        self.expression[:, JAW_OPEN] = self.jaw_open
        shape = MODEL.landmarks.shape(np.zeros((n, 50)), self.expression)
        flat = project(shape, self.quaternion, np.zeros((n, 3)), np.full(n, PIXELS_A_CM), 0, 0) + MIDDLE
        turned = shape @ np.swapaxes(quaternion_to_matrix(self.quaternion), 1, 2)
        self.points = np.concatenate([flat, turned[..., 2:] * PIXELS_A_CM], -1)

    def labels(self, fitted: list[float] | None = None, **changed: np.ndarray) -> FaceLabels:
        """True labels of these faces, trusted by `fitted`, but for what is changed."""
        n = len(self.yaw)
        labels = FaceLabels.of_boxes(np.arange(n), box_of_points(self.points[..., :2]), np.zeros(n))
        true = {
            "quaternion": self.quaternion,
            "origin": np.tile(MIDDLE, (n, 1)),
            "scale": np.full(n, PIXELS_A_CM),
            "expression": self.expression,
            "points": self.points[..., :2],
            "point_weight": np.ones((n, 68)),
            "fitted": np.array(fitted or [1.0] * n),
            "gaze": np.full((n, 8), 0.25),
        }
        for name, value in (true | changed).items():
            setattr(labels, name, torch.from_numpy(np.asarray(value, np.float32)))
        return labels

    def second(self, apart: list[float] | None = None) -> SecondAnswers:
        return SecondAnswers(self.points.astype(np.float32), np.array(apart or [0.01] * len(self.yaw), np.float32))


def combined(
    known: Known, first: FaceLabels, second: SecondAnswers, sfn: FaceLabels | None = None, name: str = "groups"
) -> tuple[FaceLabels, list[int]]:
    labels, source = combine(MODEL, first, second, known.labels() if sfn is None else sfn, SETS[name])
    assert len(labels) == len(source) == len(first)
    return labels, source.tolist()


def test_yaw_is_told_from_points_with_depth() -> None:
    yaw = np.array([-80.0, -40, -5, 0, 20, 36, 85])
    np.testing.assert_allclose(yaw_of_points(MODEL, Known(yaw, jaw_open=0.0).points), yaw, atol=0.01)
    np.testing.assert_allclose(yaw_of_points(MODEL, Known(yaw).points), yaw, atol=2.5)


def test_heads_turned_by_35_degrees_go_to_the_second_teacher() -> None:
    known = Known(np.array([0.0, -34.9, 34.9, -35.1, 35.1, 70]), jaw_open=0.0)
    labels, source = combined(known, known.labels(), known.second())
    assert source == [FIRST, FIRST, FIRST, SECOND, SECOND, SECOND]
    np.testing.assert_allclose(quaternion_to_euler(labels.quaternion.numpy())[0], known.yaw, atol=2)
    np.testing.assert_allclose(labels.points, known.points[..., :2], atol=0.01)
    assert labels.point_weight[3].tolist() == pytest.approx([0.7] * 17 + [1.0] * 51)
    assert labels.fitted.tolist() == [1] * 6


def test_the_first_teacher_cannot_talk_a_turned_head_straight() -> None:
    """It says 10 degrees where the second one sees 60; where that one's views disagree, it is believed."""
    known = Known(np.array([60.0, 60]))
    straight = Known(np.array([10.0, 10])).labels()
    straight.box = known.labels().box
    labels, source = combined(known, straight, known.second([0.02, 0.06]))
    assert source == [SECOND, FIRST]
    np.testing.assert_allclose(quaternion_to_euler(labels.quaternion.numpy())[0], [60, 10], atol=2)


@pytest.mark.parametrize(
    ("apart", "who", "trust"),
    [(0.029, SECOND, 1.0), (0.031, SECOND, 0.6), (0.054, SECOND, 0.6), (0.056, SFN, SFN_TRUST), (np.nan, SFN, 0.8)],
)
def test_agreement_of_its_views_is_trust_in_the_second_teacher(apart: float, who: Source, trust: float) -> None:
    known = Known(np.array([50.0]))
    labels, source = combined(known, known.labels([0.0]), known.second([apart]))
    assert source == [who]
    assert labels.fitted.item() == pytest.approx(trust)


def test_its_expression_is_that_of_the_single_face_network_or_the_mean() -> None:
    known = Known(np.array([60.0, -60]))
    sfn = known.labels([1.0, 0.0])
    blink = MODEL.expression_names.index("eyeBlink_L")
    sfn.expression[0, blink] = 0.6
    sfn.expression[1, blink] = 0.9  # said of a face that it did not see: not to be used
    labels, _ = combined(known, known.labels([0.0, 0.0]), known.second(), sfn)
    assert labels.expression[:, blink].tolist() == pytest.approx([0.6, 0.6], abs=0.1)


def test_without_any_expression_the_prior_is_none() -> None:
    known = Known(np.array([60.0]), jaw_open=0.0)
    labels, source = combined(known, known.labels([0.0]), known.second(), known.labels([0.0]))
    assert source == [SECOND]
    assert labels.expression.max() < 0.1


def test_points_that_are_no_face_are_left_out() -> None:
    """The inner points of one are shuffled: no fit meets them, and the single face network is not asked instead."""
    known = Known(np.array([60.0, 60]))
    second = known.second()
    second.points[0, 17:] = np.random.default_rng(0).permutation(second.points[0, 17:])
    result, _ = fit_second(MODEL, second.points, known.expression)
    assert result.error[0] > 0.05 > result.error[1]
    labels, source = combined(known, known.labels([0.0, 0.0]), second)
    assert source == [NOBODY, SECOND]
    assert labels.fitted.tolist() == [0, 1]
    assert labels.point_weight[0].sum() == 0


def test_the_rest_is_the_single_face_networks_where_it_agrees_with_itself() -> None:
    known = Known(np.array([0.0, 0, 0]))
    sfn = known.labels([1.0, 0.5, 0.0])
    sfn.points += 7  # the first teacher's, which pseudo_labels keeps: not what the network saw
    labels, source = combined(known, known.labels([0.0, 0.0, 0.0]), known.second([np.nan] * 3), sfn)
    assert source == [SFN, SFN, NOBODY]
    np.testing.assert_allclose(labels.fitted, [0.8, 0.4, 0])
    np.testing.assert_allclose(labels.points[:2], known.points[:2, :, :2], atol=0.01)


@pytest.mark.parametrize("yaw", [0.0, 60.0])
def test_ignored_boxes_have_no_label(yaw: float) -> None:
    known = Known(np.array([yaw]))
    labels, source = combined(known, known.labels(ignored=np.ones(1)), known.second())
    assert source == [NOBODY]
    assert (labels.fitted.item(), labels.ignored.item()) == (0, 1)


@pytest.mark.parametrize(("name", "ignored"), [("groups", 0), ("detected", 1), ("singles", 1)])
def test_a_box_that_nobody_confirms_counts_only_where_a_person_set_it(name: str, ignored: int) -> None:
    known = Known(np.array([0.0, 0.0]))
    labels, source = combined(known, known.labels([0.0, 1.0]), known.second(), known.labels([0.0, 0.0]), name)
    assert source == [NOBODY, FIRST]
    assert labels.ignored.tolist() == [ignored, 0]


def test_boxes_around_a_fits_points_move_with_the_fit_and_annotated_ones_stay() -> None:
    known = Known(np.array([60.0]))
    wrong = known.labels()
    wrong.box += 9
    for name, expected in (("singles", box_of_points(known.points[..., :2])), ("groups", wrong.box.numpy())):
        labels, _ = combined(known, wrong, known.second(), name=name)
        np.testing.assert_allclose(labels.box, expected, atol=2)


def test_gaze_is_known_where_the_first_teacher_saw_the_face_well() -> None:
    known = Known(np.array([0.0, 60, 60, 0]))
    labels, source = combined(known, known.labels([1, 1, 0, 0]), known.second())
    assert source == [FIRST, SECOND, SECOND, SFN]
    assert torch.isfinite(labels.gaze).all(1).tolist() == [True, True, False, False]
    assert labels.gaze[1].tolist() == [0.25] * 8


def test_arguments_stay_as_they_are() -> None:
    known = Known(np.array([0.0, 60]))
    first = known.labels()
    before = {f.name: getattr(first, f.name).clone() for f in fields(first)}
    combined(known, first, known.second(), name="detected")
    for name, value in before.items():
        assert torch.equal(getattr(first, name), value), name


def test_the_networks_labels_come_back_into_the_order_of_the_first_teachers() -> None:
    known = Known(np.array([0.0, 10, 20, 30]))
    first = known.labels()
    first.picture = torch.tensor([5, 2, 5, 1])
    by_picture = [3, 1, 0, 2]
    sfn = first[torch.tensor(by_picture)]
    back = in_order_of(first, sfn, Path("some.sfn.npz"))
    assert torch.equal(back.picture, first.picture)
    assert torch.equal(back.quaternion, first.quaternion)


def test_the_summary_counts_by_source_and_yaw() -> None:
    known = Known(np.array([0.0, 20, -50, 88, 3]))
    told = summary(known.labels(), np.array([1, 1, 2, 2, 0], np.uint8)).splitlines()
    assert [line.split() for line in told[1:]] == [
        ["nobody:", "1"],
        ["first_teacher:", "2", "1", "1", "0", "0", "0", "0"],
        ["second_teacher:", "2", "0", "0", "0", "1", "0", "1"],
        ["sfn:", "0", "0", "0", "0", "0", "0", "0"],
    ]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The set "groups" with three packed pictures and all files of three faces, and what an earlier run wrote."""
    known = Known(np.array([0.0, 60, 20]))
    np.save(tmp_path / "groups.npy", np.zeros((3, 8, 8, 3), np.uint8))
    np.save(tmp_path / "groups.sizes.npy", np.full((3, 2), 8, np.float32))
    np.save(tmp_path / "groups.names.npy", np.array(["a/0", "a/1", "a/2"]))
    first = known.labels()
    first.save(tmp_path / "groups.npz")
    first.save(tmp_path / "groups.sfn.npz")
    known.second().save(tmp_path / "groups.second.npz", first)
    (tmp_path / "groups.combined.npz").write_bytes(b"earlier")
    folders = ["--pack", str(tmp_path), "--labels", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["combine", "--sets", "groups", *folders])
    return tmp_path


def changed(path: Path, **arrays: np.ndarray | None) -> None:
    """Replaces arrays of an .npz, or leaves them out."""
    with np.load(path) as old:
        new = {**old, **arrays}
    np.savez(path, **{name: value for name, value in new.items() if value is not None})


def test_the_program_writes_labels_with_their_sources(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program.main()
    assert read_sources(folder / "groups.combined.npz").tolist() == [FIRST, SECOND, FIRST]
    assert len(FaceLabels.load(folder / "groups.combined.npz")) == 3
    assert "second_teacher:      1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "arrays", "message"),
    [
        ("groups", {"picture": np.array([0, 1, 3])}, r"groups\.npz has a face in picture 3, but only 3 pictures"),
        ("groups", {"gaze": None}, r"groups\.npz holds no gaze: an older version's"),
        ("groups.sfn", {"gaze": None}, r"groups\.sfn\.npz holds no gaze"),
        ("groups.sfn", {"picture": np.array([0, 1, 1])}, r"groups\.sfn\.npz is of other pictures"),
        ("groups.sfn", {"box": np.zeros((3, 4), np.float32)}, r"groups\.sfn\.npz is of other boxes"),
        (
            "groups.second",
            {"apart": np.zeros(2), "points": np.zeros((2, 68, 3))},
            r"has 2 rows, the labels beside it 3",
        ),
        ("groups.second", {"picture": np.array([0, 2, 1])}, r"groups\.second\.npz is of other pictures"),
        ("groups.second", {"box": np.zeros((3, 4))}, r"groups\.second\.npz is of other boxes"),
        ("groups.second", {"picture": None}, r"groups\.second\.npz holds no picture: an older version's"),
    ],
)
def test_files_that_do_not_belong_together_are_told_and_nothing_is_written(
    name: str, arrays: dict[str, np.ndarray | None], message: str, folder: Path
) -> None:
    changed(folder / f"{name}.npz", **arrays)
    with pytest.raises(SystemExit, match=message):
        program.main()
    assert (folder / "groups.combined.npz").read_bytes() == b"earlier"


def test_a_network_that_labelled_fewer_faces_is_told(folder: Path) -> None:
    FaceLabels.load(folder / "groups.npz")[torch.tensor([0, 1])].save(folder / "groups.sfn.npz")
    with pytest.raises(SystemExit, match=r"groups\.sfn\.npz has 2 faces, the labels beside it 3"):
        program.main()


@pytest.mark.parametrize("name", ["groups", "groups.second", "groups.sfn"])
def test_a_missing_file_is_named(name: str, folder: Path) -> None:
    (folder / f"{name}.npz").unlink()
    with pytest.raises(SystemExit, match=rf"{name}\.npz is missing"):
        program.main()
    assert (folder / "groups.combined.npz").read_bytes() == b"earlier"
