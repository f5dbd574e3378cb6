"""Renders a head of the face model with skin, hair, eyes, teeth and light over a background, in linear light.

Attributes live on the vertices (albedo, normal, how open to the sky a point is, gloss); pixels interpolate them, and
only the eyes are painted a pixel at a time, from the angle between eyeball and gaze. Eyeballs turn with the gaze, and
the tongue comes out; both are no part of the face model.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np

from training.render.accessories import STRANDS, glasses, long_hair
from training.render.anatomy import Anatomy, find_anatomy, seen_from, smoothed, smoothstep
from training.render.appearance import Appearance, Light
from training.render.eyes import eye_matrices, eyeball_centre, gaze_of_angles, turn_about
from training.render.head import EYES, FACE, HEAD, LEFT_EYE, MOUTH, RIGHT_EYE, TEETH, Head, Pose, vertex_normals
from training.render.rasterize import rasterize
from training.render.tongue import TONGUE, let_out, tongue_shift

GAMMA = 2.2
VIEWER = np.array([0, 0, 1], np.float32)
GUMS = np.array([0.30, 0.07, 0.06], np.float32)
TONGUE_COLOUR = np.array([0.40, 0.13, 0.12], np.float32)
SCLERA = np.array([0.72, 0.68, 0.64], np.float32)
CLOTHES_BELOW, CLOTHES_SLOPE = -14.2, 0.33  # cm: the collar's height at the throat, and how it falls to the back
MOUTH_DARK, MOUTH_LIGHT = 5.0, 11.5  # cm of depth z between which the mouth's inside grows light
LOOK_DOWN = 0.5  # radians the gaze sinks with eyeLookDown at 1
LASHES_MEET, LASHES_DARK = (0.6, 0.95), 0.08  # weights of the blink between which lashes hide the eye; what is left
LONG_HAIR = 8.0  # cm from which it falls
GLINT, GLINT_WITHIN = 0.8, 0.985  # the light mirrored in the eye: strength, cosine
ROUGHNESS = 18  # Blinn-Phong exponent of skin
SHADOW, SHADOW_BIAS = 0.75, 0.8  # share of a light that its shadow takes away; cm that light passes, against specks


@dataclass(frozen=True)
class Surface:
    """Holds a surface to draw. points: (V, 3) cm, camera frame. triangles: (T, 3). normals: (V, 3) unit. albedo: (V, 3)
    linear. gloss: (V,). open_sky: (V,) share of the surroundings that lights it."""

    points: np.ndarray
    triangles: np.ndarray
    normals: np.ndarray
    albedo: np.ndarray
    gloss: np.ndarray
    open_sky: np.ndarray

    @classmethod
    def plain(cls, points: np.ndarray, triangles: np.ndarray, albedo: np.ndarray, gloss: float) -> Self:
        """A thing of one gloss that stands free."""
        count = len(points)
        normals = vertex_normals(points, triangles)
        gloss_of, sky = np.full(count, gloss, np.float32), np.full(count, 0.8, np.float32)
        return cls(points, triangles, normals, albedo.astype(np.float32), gloss_of, sky)

    def join(self, other: "Surface") -> "Surface":
        """Both surfaces as one."""
        joined = {name: np.concatenate([value, getattr(other, name)]) for name, value in vars(self).items()}
        joined["triangles"] = np.concatenate([self.triangles, other.triangles + len(self.points)])
        return Surface(**joined)


class HeadRenderer:
    """Holds the head and what is derived from it once; `render` draws one person into a picture."""

    def __init__(self, head: Head) -> None:
        self.head = head
        self.part_of_vertex = np.zeros(len(head.surface.mean), np.uint8)
        for part in (HEAD, FACE, MOUTH, TEETH, EYES):
            self.part_of_vertex[np.unique(head.triangles[head.part == part])] = part

    @classmethod
    def load(cls, path: Path) -> "HeadRenderer":
        """The renderer of the head model in a file."""
        return cls(Head.load(path))

    @cached_property
    def anatomy(self) -> Anatomy:
        """The parts of the head."""
        return find_anatomy(self.head)

    @cached_property
    def eye_centres(self) -> np.ndarray:
        """(2, 3) cm from the mean of the left and right eyeball's vertices to its centre."""
        mean = self.head.surface.mean
        return np.stack([eyeball_centre(mean[eye]) - mean[eye].mean(0) for eye in (LEFT_EYE, RIGHT_EYE)])

    def gaze_of(self, look: Appearance, w_exp: np.ndarray) -> np.ndarray:
        """(8,) where both eyes look alike, as the look says, lower where the lids are lowered by eyeLookDown."""
        sideways, up = look.gaze.astype(np.float64)
        down = LOOK_DOWN * self._weight(w_exp, "eyeLookDown") - up
        return gaze_of_angles(np.degrees(np.array([[sideways, down]] * 2)))

    def moved(self, shape: np.ndarray, w_exp: np.ndarray, turned: np.ndarray, tongue: float) -> np.ndarray:
        """The shape (V, 3) with eyeballs turned by (2, 3, 3) and the tongue out."""
        moved = shape.copy()
        for eye, offset, matrix in zip((LEFT_EYE, RIGHT_EYE), self.eye_centres, turned, strict=True):
            moved[eye] = turn_about(shape[eye], shape[eye].mean(0) + offset, matrix)
        if tongue > 0:
            out = let_out(tongue, self._weight(w_exp, "jawOpen"), self._weight(w_exp, "mouthClose"))
            moved[TONGUE] += tongue_shift(self.head.surface.mean[TONGUE], out)
        return moved

    def albedo(self, look: Appearance) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Linear colours (V, 3), gloss (V,) and thickness of the hair (V,) in cm of the head's vertices."""
        mean, anatomy = self.head.surface.mean, self.anatomy
        waves = np.sin(mean @ look.noise[:, :3].T + look.noise[:, 3])  # (V, K)
        tone = waves @ look.noise[:, 4]
        skin = look.skin * np.exp(np.stack([0.6 * tone, tone, tone], axis=1))
        skin = skin * (1 - look.blush * anatomy.blush[:, None] * np.array([0.0, 0.45, 0.4], np.float32))

        def over(colour: np.ndarray, strength: np.ndarray) -> np.ndarray:
            return np.asarray(skin * (1 - strength[:, None]) + colour * strength[:, None])

        skin = over(look.lips, 0.85 * anatomy.lips)
        strands = 0.85 + 0.5 * np.abs(waves[:, :3]).mean(1)
        skin = over(look.hair * 1.2, 0.8 * look.beard * anatomy.beard * np.clip(strands, 0, 1))
        skin = over(look.hair, look.brows * anatomy.brows)
        skin = over(np.full(3, 0.012, np.float32), look.lashes * anatomy.lashes)
        growth = anatomy.hairline + 5 * tone - look.hairline
        hair = smoothstep(growth, -0.15, 0.5) * (look.hair_length > 0)
        volume = look.hair_volume * smoothstep(growth, 0.2, 2.5) * (look.hair_length > 0)
        skin = over(look.hair, hair)
        skin = skin * (hair[:, None] * (strands[:, None] - 1) + 1)
        collar = mean[:, 1] - CLOTHES_SLOPE * (8 - mean[:, 2])
        clothes = smoothstep(CLOTHES_BELOW - collar, -0.1, 0.1)
        skin = over(look.clothes * (0.9 + 0.2 * waves[:, 4:5]), clothes)
        skin[self.part_of_vertex == TEETH] = look.teeth
        skin[self.part_of_vertex == MOUTH] = GUMS
        skin[TONGUE] = TONGUE_COLOUR
        inside = np.isin(self.part_of_vertex, (TEETH, MOUTH))
        gloss = look.gloss * (1 - hair) * (1 - clothes) * (1 + anatomy.lips)
        gloss[inside] = 0.15
        return skin.astype(np.float32), gloss.astype(np.float32), volume.astype(np.float32)

    def surface(self, shape: np.ndarray, pose: Pose, look: Appearance, rng: np.random.Generator) -> tuple[Surface, int]:
        """The surface of everything of one person that is drawn, head first, lenses last, and how many of the triangles
        are lenses."""
        head, anatomy = self.head, self.anatomy
        albedo, gloss, hair = self.albedo(look)
        camera = pose.turn(shape + hair[:, None] * anatomy.outward)
        sky = np.where(anatomy.eyes > 0, 0.85, anatomy.open_sky)
        inside = np.isin(self.part_of_vertex, (TEETH, MOUTH))
        depth = head.surface.mean[:, 2].copy()
        depth[TONGUE] = shape[TONGUE, 2]
        sky = np.where(inside, 0.1 + 0.8 * smoothstep(depth, MOUTH_DARK, MOUTH_LIGHT), sky)
        sky = np.where(hair > 0.1, 0.8, sky).astype(np.float32)
        surface = Surface(camera, head.triangles, vertex_normals(camera, head.triangles), albedo, gloss, sky)
        lenses = 0
        if look.hair_length >= LONG_HAIR:
            vertices, triangles = long_hair(look.hair_length, look.hair_volume, float(rng.normal(0, 0.15)), rng)
            strand = 0.75 + 0.5 * np.interp(np.arange(len(vertices)) % STRANDS, np.arange(STRANDS), rng.random(STRANDS))
            surface = surface.join(Surface.plain(pose.turn(vertices), triangles, look.hair * strand[:, None], 0.05))
        if look.glasses > 0:
            vertices, triangles, lenses = glasses(shape[head.landmarks], look.glasses)
            colour = np.broadcast_to(look.glasses_colour, vertices.shape)
            surface = surface.join(Surface.plain(pose.turn(vertices), triangles, colour, 0.3))
        return surface, lenses

    def render(
        self,
        shape: np.ndarray,
        w_exp: np.ndarray,
        pose: Pose,
        look: Appearance,
        canvas: np.ndarray,
        depth: np.ndarray,
        rng: np.random.Generator,
        gaze: np.ndarray | None = None,
        tongue: float = 0.0,
    ) -> None:
        """Draws the head into canvas (H, W, 3) float32, linear light, where it is nearer than depth (H, W) float32.

        shape: (V, 3) cm, head frame. w_exp: (46,), its expression. gaze: (8,), see service.vision.gaze; None for that
        of the look. tongue: how far it is out, 0 to 1, if the mouth is open. Canvas and depth (pixels) are changed.
        """
        height, width = depth.shape
        turned = eye_matrices(self.gaze_of(look, w_exp) if gaze is None else gaze)
        shape = self.moved(shape, w_exp, turned, tongue)
        eye_direction = self.anatomy.eye_direction.copy()
        for eye, matrix in zip((LEFT_EYE, RIGHT_EYE), turned, strict=True):
            eye_direction[eye] = turn_about(eye_direction[eye], np.zeros(3), matrix)
        surface, lenses = self.surface(shape, pose, look, rng)
        pixels = pose.pixels(surface.points)
        solid = surface.triangles[: len(surface.triangles) - lenses]
        part = np.concatenate([self.head.part, np.full(len(solid) - len(self.head.part), HEAD, np.uint8)])
        a, b, c = (pixels[solid[:, k], :2] for k in range(3))
        front = (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1]) > (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1])
        front[len(self.head.triangles) :] = True  # hair and glasses are seen from both sides
        drawn, part = solid[front], part[front]
        coverage = rasterize(pixels, drawn, width, height, cull=False).where_nearer(depth)

        by_light = [self._lit(surface.points, solid, light) for light in look.lights]
        attributes = [surface.normals, surface.albedo, surface.gloss, surface.open_sky, *by_light]
        values = coverage.interpolate(np.column_stack(attributes), drawn)
        normal, colour, gloss, sky, lit = np.split(values, [3, 6, 7, 8], axis=1)
        normal = normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
        normal *= np.where(normal[:, 2:] < 0, -1, 1)  # of what is seen from behind

        seen_eye = np.flatnonzero(part[coverage.triangle] == EYES)
        corners = drawn[coverage.triangle[seen_eye]]
        toward = np.einsum("pkc,pk->pc", eye_direction[corners], coverage.weights[seen_eye])
        axis = np.where(self._of_left_eye(corners[:, :1]), turned[0, :, 2], turned[1, :, 2])
        colour[seen_eye], gloss[seen_eye] = self._eye(toward, look, axis), 0.05
        open_eye = 1 - smoothstep(self._blink(w_exp, corners[:, 0]), *LASHES_MEET)[:, None]
        colour[seen_eye] *= np.maximum(open_eye, LASHES_DARK)

        total = colour * ((look.sky + look.ground) / 2 + (look.sky - look.ground) / 2 * normal[:, 1:2]) * sky
        for i, light in enumerate(look.lights):
            strength = light.colour * lit[:, i : i + 1] * (0.35 + 0.65 * sky)
            facing = np.clip(normal @ light.direction * 0.9 + 0.1, 0, None)[:, None]
            half = light.direction + VIEWER
            mirror = np.clip(normal @ (half / np.linalg.norm(half)), 0, None)[:, None]
            total += strength * (colour * facing + 0.6 * gloss * mirror**ROUGHNESS)
            total[seen_eye] += light.colour * GLINT * (mirror[seen_eye] > GLINT_WITHIN) * open_eye
        canvas.reshape(-1, 3)[coverage.pixel] = total * look.exposure
        depth.reshape(-1)[coverage.pixel] = coverage.depth
        if lenses:
            lens = rasterize(pixels, surface.triangles[-lenses:], width, height, cull=False).where_nearer(depth)
            canvas.reshape(-1, 3)[lens.pixel] *= 1 - look.lens

    def _blink(self, w_exp: np.ndarray, vertices: np.ndarray) -> np.ndarray:
        """(P,) weight of the blink of the eye that each eyeball vertex (P,) belongs to."""
        left, right = (self._weight(w_exp, f"eyeBlink_{side}") for side in "LR")
        return np.where(self._of_left_eye(vertices), left, right)

    @staticmethod
    def _of_left_eye(vertices: np.ndarray) -> np.ndarray:
        """Which eyeball vertices are the left one's."""
        return (vertices >= LEFT_EYE.start) & (vertices < LEFT_EYE.stop)

    def _weight(self, w_exp: np.ndarray, name: str) -> float:
        return float(w_exp[self.head.expression_names.index(name)])

    @staticmethod
    def _lit(points: np.ndarray, triangles: np.ndarray, light: Light) -> np.ndarray:
        """(V,) share of a light that reaches each point past the head's own shadow."""
        if not light.shadow:
            return np.ones(len(points), np.float32)
        seen = seen_from(points, triangles, light.direction, SHADOW_BIAS).astype(np.float32)
        softened = smoothed(smoothed(seen, triangles), triangles)
        return (1 - SHADOW * (1 - softened)).astype(np.float32)

    @staticmethod
    def _eye(toward: np.ndarray, look: Appearance, axis: np.ndarray) -> np.ndarray:
        """Linear colours (P, 3) of eyeball points, given their directions (P, 3) from the eyeball's centre and the unit
        directions (P, 3) in which their eyes look."""
        toward = toward / np.maximum(np.linalg.norm(toward, axis=1, keepdims=True), 1e-6)
        angle = np.arccos(np.clip((toward * axis).sum(1), -1, 1))[:, None]
        iris = look.iris * (0.6 + 0.9 * smoothstep(angle, look.pupil_size, look.iris_size * 0.8))
        rim = smoothstep(angle, look.iris_size * 0.78, look.iris_size * 0.95)
        iris = iris * (1 - 0.75 * rim)
        colour = np.where(angle < look.pupil_size, 0.004, iris)
        white = smoothstep(angle, look.iris_size * 0.95, look.iris_size * 1.05)
        shade = 0.55 + 0.45 * smoothstep(-toward[:, 1:2], -0.35, 0.1)  # the upper lid's
        reddish = 1 - np.array([0.0, 0.25, 0.25], np.float32) * smoothstep(np.abs(toward[:, :1]), 0.5, 0.95)
        return np.asarray((colour * (1 - white) + SCLERA * reddish * white) * shade)


def to_bytes(linear: np.ndarray) -> np.ndarray:
    """(..., 3) linear light as uint8."""
    return np.asarray(np.clip(linear, 0, 1) ** (1 / GAMMA) * 255 + 0.5).astype(np.uint8)
