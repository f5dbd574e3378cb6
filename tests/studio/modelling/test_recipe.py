"""Recipes: those that come along can be read, and mistakes are named."""

from pathlib import Path

import pytest

from studio.modelling.recipe import FOLDER, RECIPES, Recipe


def test_each_character_has_a_recipe_and_each_recipe_a_character() -> None:
    assert sorted(RECIPES) == sorted(path.stem for path in FOLDER.glob("*.toml"))
    assert [Recipe.read(FOLDER / f"{name}.toml").title.lower() for name in RECIPES] == list(RECIPES)


def test_a_setting_that_there_is_not_is_named(tmp_path: Path) -> None:
    path = tmp_path / "being.toml"
    path.write_text('title = "Being"\nlayers = []\n[eyes]\nsize = 2\n')
    with pytest.raises(TypeError, match="size"):
        Recipe.read(path)
