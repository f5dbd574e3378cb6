"""What makes a being, read from one TOML file: proportions, eyes, layers of paint, and what grows from the head."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from studio.modelling.warp import Bulge, EyePlacement

FOLDER = Path(__file__).with_name("recipes")


@dataclass(frozen=True)
class Material:
    """Core glTF's: metallic and roughness 0 to 1; glow: the colour of its own light, or none."""

    roughness: float = 0.6
    metallic: float = 0.0
    glow: str = "#000000"


@dataclass(frozen=True)
class Iris:
    """Paints an eye. size, pupil: radians from the eye's axis; pupil: across and up. Colours: #rrggbb; glow: that of
    its own light, at the iris."""

    size: float = 0.5
    pupil: Sequence[float] = (0.2, 0.2)
    inner: str = "#8a5a2b"
    outer: str = "#3b2413"
    rim: str = "#1a1008"
    white: str = "#ece7e1"
    corner: str = "#d9a79a"
    dark: str = "#050303"
    fibres: float = 0.35
    glow: float = 0.0
    roughness: float = 0.06


@dataclass(frozen=True)
class Brows:
    """Brows as sculpted tufts. width, thickness: half of them, cm, from the nose outward. raise_by: (3,) cm."""

    colour: str
    tip: str
    width: Sequence[float] = (0.2, 0.34, 0.3, 0.1)
    thickness: float = 0.14
    raise_by: Sequence[float] = (0.0, 0.0, 0.0)
    strands: int = 3


@dataclass(frozen=True)
class Lashes:
    """The upper lids' lashes, one dark blade each. length: cm at the middle and at the outer corner."""

    colour: str
    length: Sequence[float] = (0.05, 0.18, 0.28, 0.34)
    thickness: float = 0.035


@dataclass(frozen=True)
class Sweep:
    """A horn, an ear, an antenna: a section swept along a path.

    root: (3,) on the scan; it sits on the skin there. path: (L, 3) cm from the root. width, thickness: half axes of the
    section along the path. across: (3,), the direction of the width. hollow: see parts.sweep. colour, tip, inner:
    #rrggbb. follows: with the face's motion; else with the head. material: "matte", "metal" or "glow". sink: cm by
    which it begins below the skin.
    """

    root: Sequence[float]
    path: Sequence[Sequence[float]]
    width: Sequence[float]
    colour: str
    thickness: Sequence[float] | None = None
    across: Sequence[float] = (1.0, 0.0, 0.0)
    hollow: float = -1.0
    tip: str | None = None
    inner: str | None = None
    follows: bool = False
    material: str = "matte"
    sides: int = 8
    points: int = 10
    sink: float = 0.3


@dataclass(frozen=True)
class Ball:
    """A wart, a knob: a ball that sits on the skin at root (3,) of the scan, moved by offset (3,) cm."""

    root: Sequence[float]
    radius: float
    colour: str
    offset: Sequence[float] = (0.0, 0.0, 0.0)
    follows: bool = False
    material: str = "matte"
    sides: int = 8


@dataclass(frozen=True)
class HairRow:
    """A row of locks. count: of them. azimuth: from and to, degrees from the front toward the subject's left. way:
    (L, 3) of each lock from its root: degrees from straight up, degrees of azimuth from its own, cm above the skin.
    width, thickness: half axes in cm along it."""

    count: int
    azimuth: Sequence[float]
    way: Sequence[Sequence[float]]
    width: Sequence[float]
    thickness: Sequence[float]


@dataclass(frozen=True)
class Hair:
    """Hair of sculpted locks, in rows from below upward."""

    colour: str
    tip: str
    rows: Sequence[HairRow]
    seed: int = 1


@dataclass(frozen=True)
class Smoothing:
    """Takes details of the skin away about a point (and its mirror image): each vertex goes to the middle of those
    beside it, `rounds` times. at: (3,) cm. reach: cm, one number or three."""

    at: Sequence[float]
    reach: float | Sequence[float]
    rounds: int


@dataclass(frozen=True)
class Recipe:
    """All that a character is made from.

    title: its name for people. layers: of paint, from below upward, see paint.LAYERS. warp, eyes, smooth: its
    proportions. rest: blendshapes, by ARKit's names, that it wears at rest. occlusion: how dark what is hollow gets.
    mouth, tongue, teeth: colours. materials: settings that differ from materials.STANDARD.
    """

    title: str
    layers: Sequence[dict[str, Any]]
    warp: Sequence[Bulge] = ()
    eyes: EyePlacement = field(default_factory=EyePlacement)
    rest: dict[str, float] = field(default_factory=dict)
    skin: Material = field(default_factory=Material)
    occlusion: float = 0.6
    mouth: str = "#7a2426"
    tongue: str = "#c0585c"
    teeth: str = "#efe6d2"
    iris: Iris = field(default_factory=Iris)
    brows: Brows | None = None
    lashes: Lashes | None = None
    sweeps: Sequence[Sweep] = ()
    balls: Sequence[Ball] = ()
    hair: Hair | None = None
    materials: dict[str, Material] = field(default_factory=dict)
    smooth: Sequence[Smoothing] = ()

    @classmethod
    def read(cls, path: Path) -> Self:
        """Reads a recipe. Raises TypeError where it holds a setting that there is not."""
        data = tomllib.loads(path.read_text())
        kinds = {"eyes": EyePlacement, "skin": Material, "iris": Iris, "brows": Brows, "lashes": Lashes}
        for name, kind in kinds.items():
            if name in data:
                data[name] = kind(**data[name])
        if "hair" in data:
            rows = [HairRow(**row) for row in data["hair"].pop("rows")]
            data["hair"] = Hair(rows=rows, **data["hair"])
        lists = {"warp": Bulge, "smooth": Smoothing, "sweeps": Sweep, "balls": Ball}
        for name, many in lists.items():
            data[name] = [many(**settings) for settings in data.get(name, [])]
        data["materials"] = {name: Material(**settings) for name, settings in data.get("materials", {}).items()}
        return cls(**data)


RECIPES = ("human", "goblin", "cat", "alien", "robot")
