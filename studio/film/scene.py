"""Draws the frames of the film."""

import cv2
import numpy as np

from service.vision.rotation import (
    inverse,
    quaternion_to_matrix,
    quaternion_to_rotation_vector,
    rotation_vector_to_quaternion,
)
from studio.film.acting import Acting
from studio.film.people import HEIGHT, PEOPLE, WIDTH, Person
from training.data.archives import box_of_points
from training.render.anatomy import smoothstep
from training.render.head import Pose
from training.render.render import HeadRenderer, to_bytes

SUPERSAMPLING = 2  # pixels of the drawing a pixel of the film, along each side
NECK = np.array([0.0, -11.5, -4.5], np.float32)  # cm, head frame: about where the head turns on the body
BODY = (-9.0, -14.5)  # cm, head frame: heights from which on the neck turns less, and the body not at all
WALL = np.array([0.50, 0.50, 0.47], np.float32)  # linear light in the middle
WALL_EDGE = 0.45  # share of it that the corners lack


class Scene:
    """Draws two people who act."""

    def __init__(self, renderer: HeadRenderer, seconds: np.ndarray) -> None:
        """seconds: (F,) those of the frames."""
        self.renderer = renderer
        names = renderer.head.expression_names
        self.acting = [Acting.of(person.performance, names, seconds) for person in PEOPLE]
        self._wall = wall(WIDTH * SUPERSAMPLING, HEIGHT * SUPERSAMPLING)

    def shape_of(self, face: int, frame: int) -> np.ndarray:
        """(V, 3) cm, head frame: the face in a frame, over a body that does not turn with the head."""
        head, acting = self.renderer.head, self.acting[face]
        shape = head.surface.shape(PEOPLE[face].identity, acting.expression[frame]) + head.lids_of(acting.gaze[frame])
        turned_back = body_stays(head.surface.mean[:, 1], shape, acting.quaternion[frame])
        return np.asarray(shape + turned_back, np.float32)

    def pose_of(self, face: int, frame: int) -> Pose:
        """Where the head is in a frame: it turns about the foot of its neck."""
        return pose_about_neck(PEOPLE[face], self.acting[face].quaternion[frame])

    def box_of(self, face: int, frame: int) -> np.ndarray:
        """(4,) x1, y1, x2, y2 in pixels: the box about the face's 68 points, as the networks are trained on it."""
        pose, landmarks = self.pose_of(face, frame), self.renderer.head.landmarks
        return box_of_points(pose.pixels(pose.turn(self.shape_of(face, frame)[landmarks]))[:, :2])

    def draw(self, frame: int) -> np.ndarray:
        """(HEIGHT, WIDTH, 3) uint8."""
        canvas = self._wall.copy()
        depth = np.full(canvas.shape[:2], -np.inf, np.float32)
        for face, (person, acting) in enumerate(zip(PEOPLE, self.acting, strict=True)):
            pose = self.pose_of(face, frame)
            large = Pose(pose.quaternion, pose.origin * SUPERSAMPLING, pose.scale * SUPERSAMPLING)
            strands = np.random.default_rng(person.hair)  # the same in each frame
            shape, expression, gaze = self.shape_of(face, frame), acting.expression[frame], acting.gaze[frame]
            self.renderer.render(shape, expression, large, person.look, canvas, depth, strands, gaze)
        return to_bytes(cv2.resize(canvas.clip(0, 1), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA))


def wall(width: int, height: int) -> np.ndarray:
    """(height, width, 3) float32 linear light: a plain wall, lit in the middle."""
    x, y = np.linspace(-1, 1, width, dtype=np.float32), np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    return WALL * (1 - WALL_EDGE * (x**2 + (y + 0.2) ** 2) / 2)[..., None]


def pose_about_neck(person: Person, quaternion: np.ndarray) -> Pose:
    """The pose of a head whose neck's foot is at the person's place."""
    foot = quaternion_to_matrix(quaternion) @ NECK
    origin = np.array(person.place) - person.scale * foot[:2] * [1, -1]
    return Pose(quaternion, origin, person.scale)


def body_stays(height: np.ndarray, shape: np.ndarray, quaternion: np.ndarray) -> np.ndarray:
    """(V, 3) cm by which a shape (V, 3) turns back about the neck, so that the body rests while the head turns.

    height: (V,) cm, of the mean face's vertices. quaternion: (4,) of the head.
    """
    share = 1 - smoothstep(height, BODY[1], BODY[0])
    back = quaternion_to_rotation_vector(inverse(quaternion))
    matrices = quaternion_to_matrix(rotation_vector_to_quaternion(share[:, None] * back))
    from_neck = shape - NECK
    offset: np.ndarray = (np.einsum("vij,vj->vi", matrices, from_neck) - from_neck).astype(np.float32)
    return offset
