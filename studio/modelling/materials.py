"""Materials of core glTF: a colour or a picture, metallic and roughness, and light of their own."""

from typing import Any

from studio.modelling.eyes import eye_picture
from studio.modelling.gltf import Document
from studio.modelling.paint import linear, png
from studio.modelling.recipe import Material, Recipe

STANDARD = {
    "wet": Material(0.3),  # gums, tongue, teeth
    "matte": Material(0.75),
    "lashes": Material(0.6),
    "hair": Material(0.6),
    "metal": Material(0.35, 1.0),
    "glow": Material(0.4, 0.0, "#ffffff"),
}


class Materials:
    """A document's materials by name, each added when it is first asked for. A recipe may change the standard ones."""

    def __init__(self, document: Document, recipe: Recipe) -> None:
        self._document = document
        self._settings = STANDARD | recipe.materials
        self._known: dict[str, int] = {}

    def __getitem__(self, name: str) -> int:
        if name not in self._known:
            self._known[name] = self.add(name, self._settings[name])
        return self._known[name]

    def add(self, name: str, settings: Material, texture: int | None = None, **more: Any) -> int:
        """A material that is not in the table. texture: of its base colour."""
        surface: dict[str, Any] = {"metallicFactor": settings.metallic, "roughnessFactor": settings.roughness}
        if texture is not None:
            surface["baseColorTexture"] = {"index": texture}
        glow = linear(settings.glow)
        if glow.any():
            more["emissiveFactor"] = [round(float(value), 4) for value in glow]
        return self._document.add("materials", {"name": name, "pbrMetallicRoughness": surface, **more})

    def add_eye(self, recipe: Recipe) -> int:
        """The eyes', painted."""
        colour, glow = eye_picture(recipe.iris)
        texture = self._document.add_image(png(colour), "image/png", "eye")
        more: dict[str, Any] = {}
        if recipe.iris.glow:
            light = self._document.add_image(png(glow), "image/png", "eye_glow")
            more = {"emissiveTexture": {"index": light}, "emissiveFactor": [1, 1, 1]}
        return self.add("eye", Material(recipe.iris.roughness), texture, **more)
