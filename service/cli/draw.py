"""Draws faces on their picture: box, mesh or landmarks, pose axes and the strongest coefficients.

Small pictures are enlarged before drawing, so that lines and letters stay legible; all widths and font sizes follow
from the face's and the picture's size. Everything is drawn on one transparent layer at SUPERSAMPLING times the size,
because Pillow draws without antialiasing, and composited onto the picture at the end.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal, get_args

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from service.vision.arrays import Array
from service.vision.face_model import FaceModel, project
from service.vision.faces import Face, Faces
from service.vision.rotation import quaternion_to_euler, quaternion_to_matrix

Surface = Literal["mesh", "landmarks"]
SURFACES: tuple[Surface, ...] = get_args(Surface)
Colour = tuple[int, int, int]
Box = tuple[float, float, float, float]  # x1, y1, x2, y2

MIN_LONGER_SIDE = 1200  # pixels; smaller pictures are enlarged to it
SUPERSAMPLING = 2  # the layer's pixels per pixel of the picture
SUPERSAMPLED_UP_TO = 2600  # pixels of the longer side; in larger pictures lines are wide enough without

COLOURS: tuple[Colour, ...] = ((64, 196, 255), (255, 171, 64), (129, 230, 120), (255, 128, 171), (197, 158, 255))
AXIS_COLOURS: tuple[Colour, ...] = ((255, 59, 48), (40, 205, 65), (30, 110, 255))  # x, y, z
INK: Colour = (12, 16, 24)
PAPER: Colour = (255, 255, 255)
GROOVE: Colour = (70, 78, 92)  # a bar's empty part

MESH_ALPHA = 95  # of 255
WIRE_ALPHA = 150
WIRED_EDGES = (4.0, 14.0)  # pixels of the layer, lengths of edges between which wires fade in; short ones would blur
LIGHT = np.array([0.3, 0.5, 0.81], np.float32)  # direction toward the light, camera frame
AXIS_CM = 7.0  # about half a face's width
CHIN, NOSE_TIP = 8, 30  # landmarks
UNDER_CHIN_CM = 0.4  # the drawn mesh reaches this far below the chin; the throat is left out

# Landmarks that are joined by lines: first, last, whether the last is joined to the first again.
CONTOURS = (
    (0, 16, False),  # jaw
    (17, 21, False),  # brows
    (22, 26, False),
    (27, 30, False),  # nose
    (31, 35, False),
    (36, 41, True),  # eyes
    (42, 47, True),
    (48, 59, True),  # lips
    (60, 67, True),
)

MAX_BARS = 6
MIN_WEIGHT = 0.1  # weaker coefficients get no bar
FONT_OF_FACE = 0.078  # font size in face heights
FONT_OF_PICTURE = (0.0095, 0.019)  # smallest and largest font size in longer sides of the picture
PANEL_OF_FACE = 1.2  # greatest height of a panel in face heights; it has at least its title


@dataclass(frozen=True)
class Panel:
    """The bars of one face before they are drawn: a title, (name, weight) rows and the font they are set in."""

    title: str
    rows: tuple[tuple[str, float], ...]
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont

    @property
    def em(self) -> float:
        """Height of the font's letter M, pixels of the layer."""
        return self.font.getbbox("M")[3]

    @property
    def name_width(self) -> float:
        """Width of the longest name, pixels of the layer."""
        return max(self.font.getlength(name) for name, _ in self.rows) if self.rows else 0

    @property
    def size(self) -> tuple[float, float]:
        """Width and height with margins, pixels of the layer."""
        bars = self.name_width + 7.5 * self.em if self.rows else 0
        return max(self.font.getlength(self.title), bars) + 1.2 * self.em, (
            1 + len(self.rows)
        ) * 1.5 * self.em + self.em


def enlargement(width: int, height: int) -> float:
    """The factor by which a picture of width x height pixels is enlarged before drawing; 1 for large ones."""
    return max(1.0, MIN_LONGER_SIDE / max(width, height))


def draw_faces(image: Image.Image, faces: Faces, face_model: FaceModel, surface: Surface = "mesh") -> Image.Image:
    """Draws faces on a copy of their picture, which is enlarged by enlargement(*image.size).

    image: RGB. faces: in pixels of image. surface: the mesh, shaded, or the 68 landmarks with their contours.
    """
    width, height = (round(side * enlargement(*image.size)) for side in image.size)
    factor = SUPERSAMPLING if max(width, height) <= SUPERSAMPLED_UP_TO else 1
    layer = Image.new("RGBA", (width * factor, height * factor))
    colours = [COLOURS[face % len(COLOURS)] for face in range(len(faces))]
    draw_heads(layer, faces, face_model, image.size, surface, colours)
    draw_panels(layer, faces, face_model.expression_names, image.size, colours)

    drawn = image.convert("RGBA").resize((width, height), Image.Resampling.LANCZOS)
    drawn.alpha_composite(layer.reduce(factor))
    return drawn.convert("RGB")


def draw_heads(
    layer: Image.Image,
    faces: Faces,
    face_model: FaceModel,
    picture_size: tuple[int, int],
    surface: Surface,
    colours: Sequence[Colour],
) -> None:
    """Draws surface, box and axes of each face, near ones over far ones.

    layer: RGBA, of the picture at any scale. picture_size: width and height of the picture, pixels. colours: one for
    each face.
    """
    pen = ImageDraw.Draw(layer)
    to_layer = layer.width / picture_size[0]
    landmarks = faces.landmarks(face_model, *picture_size) * to_layer
    far_to_near = np.argsort(faces.scale).tolist()
    for face in far_to_near:
        if surface == "mesh":
            draw_mesh(pen, faces[face], face_model, picture_size, to_layer, colours[face])
        else:
            draw_landmarks(pen, landmarks[face], colours[face])
    boxes = boxes_on(layer, faces, picture_size)
    for face in far_to_near:
        draw_box(pen, boxes[face], colours[face])
        axes = quaternion_to_matrix(faces.quaternion[face]) * faces.scale[face] * to_layer * AXIS_CM
        draw_axes(pen, landmarks[face, NOSE_TIP], axes)


def draw_panels(
    layer: Image.Image,
    faces: Faces,
    expression_names: tuple[str, ...],
    picture_size: tuple[int, int],
    colours: Sequence[Colour],
) -> None:
    """Draws score, pose and strongest coefficients of each face beside it, where there is room."""
    pen = ImageDraw.Draw(layer)
    boxes = boxes_on(layer, faces, picture_size)
    panels = [panel_of(face, expression_names, box, layer.size) for face, box in zip(faces, boxes, strict=True)]
    for (panel, corner), colour in zip(place_panels(panels, boxes, layer.size), colours, strict=True):
        if corner is not None:
            draw_panel(pen, panel, corner, colour)


def boxes_on(layer: Image.Image, faces: Faces, picture_size: tuple[int, int]) -> list[Box]:
    """The faces' boxes in pixels of a layer of the picture."""
    to_layer = layer.width / picture_size[0]
    return [(box[0], box[1], box[2], box[3]) for box in (faces.box * to_layer).tolist()]


def draw_mesh(
    pen: ImageDraw.ImageDraw,
    face: Face,
    face_model: FaceModel,
    image_size: tuple[int, int],
    to_layer: float,
    colour: Colour,
) -> None:
    """Draws the triangles of the mesh that face the camera, far ones first, flat-shaded; with wires where they are
    large enough."""
    shape = face_model.mesh.shape(face.identity, face.expression)
    scale = np.array(face.scale, np.float32)
    points = project(shape, face.quaternion, face.translation, scale, *image_size) * to_layer
    height = face_model.mesh.mean[face_model.triangles, 1].mean(1)
    triangles = face_model.triangles[height > face_model.landmarks.mean[CHIN, 1] - UNDER_CHIN_CM]
    corners = (shape @ quaternion_to_matrix(face.quaternion).T)[triangles]  # (T, 3 corners, 3) camera frame, cm
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1)
    drawn = np.flatnonzero(normals[:, 2] > 0)
    drawn = drawn[np.argsort(corners[drawn, :, 2].mean(1))]
    light = normals[drawn] @ LIGHT / lengths[drawn]
    fills = ((0.35 + 0.65 * np.clip(light, 0, 1))[:, None] * colour).astype(int).tolist()

    outlines = points[triangles[drawn]]  # (front triangles, 3, 2)
    edge = float(np.linalg.norm(outlines[:, 0] - outlines[:, 1], axis=1).mean()) if len(drawn) else 0.0
    wire_alpha = round(WIRE_ALPHA * float(np.interp(edge, WIRED_EDGES, (0, 1))))
    wire = (*PAPER, wire_alpha) if wire_alpha > MESH_ALPHA // 2 else None
    wire_width = max(1, round(edge / 20))
    for outline, (red, green, blue) in zip(outlines.reshape(-1, 6).tolist(), fills, strict=True):
        pen.polygon(outline, (red, green, blue, MESH_ALPHA), wire, wire_width)


def draw_landmarks(pen: ImageDraw.ImageDraw, points: Array, colour: Colour) -> None:
    """Draws the landmarks (68, 2), joined to jaw, brows, nose, eyes and lips."""
    dot = max(1.5, float(np.ptp(points[:, 1])) / 110)
    for line_width, line_colour in ((dot * 2, (*INK, 160)), (dot, (*colour, 255))):
        for first, last, closed in CONTOURS:
            line = [*points[first : last + 1], *(points[first : first + 1] if closed else ())]
            pen.line([(x, y) for x, y in line], line_colour, max(1, round(line_width)), joint="curve")
    for x, y in points.tolist():
        pen.ellipse((x - dot * 1.3, y - dot * 1.3, x + dot * 1.3, y + dot * 1.3), (*PAPER, 255))


def draw_box(pen: ImageDraw.ImageDraw, box: Box, colour: Colour) -> None:
    """Draws a box with rounded corners."""
    line = max(2, round((box[3] - box[1]) / 120))
    pen.rounded_rectangle(ordered(box), 3 * line, outline=(*colour, 230), width=line)


def draw_axes(pen: ImageDraw.ImageDraw, origin: Array, axes: Array) -> None:
    """Draws three arrows from origin (2,), the one that points farthest away first.

    axes: (3, 3), columns the head's x, y and z in the camera frame, in pixels.
    """
    length = float(np.linalg.norm(axes[:, 0]))
    line = max(2.0, length / 22)
    for axis in np.argsort(axes[2]):
        step = axes[:2, axis] * [1, -1]
        visible = float(np.linalg.norm(step))
        along = step / max(visible, 1e-6)
        across = np.array([-along[1], along[0]])
        head = min(4 * line, visible)
        neck, tip = origin + step - along * head, origin + step
        ends = [neck + across * head * 0.5, tip, neck - across * head * 0.5]
        for margin, colour in ((line * 0.7, (*INK, 150)), (0.0, (*AXIS_COLOURS[axis], 255))):
            pen.line([*origin, *neck], colour, round(line + margin))
            pen.polygon([(x, y) for x, y in ends], colour, colour, max(1, round(margin)))
    dot = line * 0.9
    x, y = origin
    pen.ellipse((x - dot, y - dot, x + dot, y + dot), (*PAPER, 255))


def panel_of(face: Face, expression_names: tuple[str, ...], box: Box, layer_size: tuple[int, int]) -> Panel:
    """The panel with score, pose and the strongest coefficients of one face, in a font that fits its size."""
    weights = [(expression_names[i], float(face.expression[i])) for i in np.argsort(-face.expression)[:MAX_BARS]]
    yaw, pitch, roll = (round(float(angle)) for angle in quaternion_to_euler(face.quaternion))
    smallest, largest = (part * max(layer_size) for part in FONT_OF_PICTURE)
    panel = Panel(
        title=f"{face.score:.2f}   yaw {yaw}  pitch {pitch}  roll {roll}",
        rows=tuple((name, weight) for name, weight in weights if weight >= MIN_WEIGHT),
        font=font_of(float(np.clip(FONT_OF_FACE * (box[3] - box[1]), smallest, largest))),
    )
    while panel.rows and panel.size[1] > PANEL_OF_FACE * (box[3] - box[1]):
        panel = replace(panel, rows=panel.rows[:-1])
    return panel


def font_of(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font nearest to a size in pixels."""
    return _font(max(1, round(size)))


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)  # which decodes it anew each time


def place_panels(
    panels: list[Panel], boxes: list[Box], layer_size: tuple[int, int]
) -> list[tuple[Panel, tuple[float, float] | None]]:
    """Places each panel beside its face, without overlap with any box or panel, inside the picture.

    Panels lose their weakest rows until they fit. Returns them with their top left corners, None for one that does not
    fit at all.
    """
    taken = list(boxes)
    placed: list[tuple[Panel, tuple[float, float] | None]] = []
    for panel, box in zip(panels, boxes, strict=True):
        choice: tuple[Panel, tuple[float, float] | None] = (panel, None)
        for rows in range(len(panel.rows), -1, -1):
            shorter = replace(panel, rows=panel.rows[:rows])
            corner = free_corner(shorter, box, taken, layer_size)
            if corner is not None:
                choice = (shorter, corner)
                taken.append((*corner, corner[0] + shorter.size[0], corner[1] + shorter.size[1]))
                break
        placed.append(choice)
    return placed


def free_corner(panel: Panel, box: Box, taken: list[Box], layer_size: tuple[int, int]) -> tuple[float, float] | None:
    """Top left corner of the first free place: right of the face, left, below, above."""
    width, height = panel.size
    gap = panel.em * 0.5
    x1, y1, x2, y2 = box
    for x, y in (
        (x2 + gap, y1),
        (x2 + gap, y2 - height),
        (x1 - gap - width, y1),
        (x1 - gap - width, y2 - height),
        ((x1 + x2 - width) / 2, y2 + gap),
        ((x1 + x2 - width) / 2, y1 - gap - height),
    ):
        inside = x >= 0 and y >= 0 and x + width <= layer_size[0] and y + height <= layer_size[1]
        if inside and not any(x < b[2] and b[0] < x + width and y < b[3] and b[1] < y + height for b in taken):
            return x, y
    return None


def draw_panel(pen: ImageDraw.ImageDraw, panel: Panel, corner: tuple[float, float], colour: Colour) -> None:
    """Draws a panel at its top left corner."""
    em = panel.em
    left, top = corner
    width, height = panel.size
    edge = max(1, round(em / 10))
    pen.rounded_rectangle((left, top, left + width, top + height), em * 0.5, (*INK, 200), (*colour, 200), edge)
    x, y = left + 0.6 * em, top + 1.25 * em
    pen.text((x, y), panel.title, (*colour, 255), panel.font, anchor="lm")
    bar_left = x + panel.name_width + 0.5 * em
    bar_width = left + width - 3.1 * em - bar_left
    for name, weight in panel.rows:
        y += 1.5 * em
        pen.text((x, y), name, (*PAPER, 255), panel.font, anchor="lm")
        pen.rectangle((bar_left, y - 0.3 * em, bar_left + bar_width, y + 0.3 * em), (*GROOVE, 230))
        pen.rectangle((bar_left, y - 0.3 * em, bar_left + bar_width * weight, y + 0.3 * em), (*colour, 255))
        pen.text((left + width - 0.6 * em, y), f"{weight:.2f}", (*PAPER, 255), panel.font, anchor="rm")


def ordered(box: Box) -> Box:
    """The box with its corners in the order that Pillow requires, at least one pixel large."""
    x1, y1, x2, y2 = box
    return min(x1, x2), min(y1, y2), max(x1 + 1, x2), max(y1 + 1, y2)
