"""The add-on without Blender: its module, with stand-ins for Blender's own."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

from tests.docs.pages import ROOT

FILE = ROOT / "clients/blender/mfn_face.py"


def load(file: Path = FILE) -> Any:
    """The module; what of it needs no scene works."""
    bpy, extras, io_utils = ModuleType("bpy"), ModuleType("bpy_extras"), ModuleType("bpy_extras.io_utils")
    bases = {name: type(name, (), {}) for name in ("ID", "Object", "Operator", "Panel", "PoseBone", "PropertyGroup")}
    stand_ins = {"types": SimpleNamespace(Scene=object, **bases), "props": MagicMock()}
    vars(bpy).update(stand_ins)
    vars(io_utils)["ImportHelper"] = type("ImportHelper", (), {})
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    modules = {"bpy": bpy, "bpy_extras": extras, "bpy_extras.io_utils": io_utils}
    before = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)
    try:
        spec.loader.exec_module(module)
    finally:
        for name, had in before.items():
            if had is None:
                del sys.modules[name]
            else:
                sys.modules[name] = had
    return module
