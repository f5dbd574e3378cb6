"""The Unity package, built by Mono's compiler: its client as it is, its components on stand-ins for Unity.

The stand-ins in stubs/ have Unity's names and signatures. They find typos and run the arithmetic; whether the package
works in Unity, only Unity shows. mcs reads C# 7; Unity 2021.3 reads C# 9, of which that is a part.
"""

import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.docs.pages import ROOT

PACKAGE: Final = ROOT / "clients/unity"
HERE: Final = Path(__file__).resolve().parent
CLIENT: Final = "Mfn.Client.dll"
ENGINE: Final = "UnityEngine.dll"
COMPONENTS: Final = "Mfn.Unity.dll"
UNASSIGNED: Final = "-nowarn:649"  # fields that Unity's inspector fills
PATIENCE: Final = 60  # seconds


def need_mono() -> None:
    """Skips where Mono's compiler or runtime is missing."""
    if missing := [name for name in ("mcs", "mono") if shutil.which(name) is None]:
        pytest.skip(f"{' and '.join(missing)} missing: apt-get install mono-mcs mono-runtime")


def build(out: Path, *sources: Path, references: tuple[str, ...] = (), options: tuple[str, ...] = ()) -> None:
    """Compiles C# to out, a .dll or an .exe. references: names of files beside out, or of Mono's own."""
    kind = "library" if out.suffix == ".dll" else "exe"
    wanted = ("System.Core.dll", "System.Numerics.dll", *references)
    command = ["mcs", "-langversion:7.2", "-warn:4", "-warnaserror", f"-target:{kind}", f"-out:{out}", *options]
    done = subprocess.run(
        [*command, f"-lib:{out.parent}", *(f"-r:{name}" for name in wanted), *sources],
        capture_output=True, text=True, check=False, timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def build_client(folder: Path) -> None:
    build(folder / CLIENT, *sorted((PACKAGE / "Runtime/Client").glob("*.cs")))


def build_components(folder: Path, out: str = COMPONENTS, *options: str) -> None:
    """Of the client, which is built before."""
    if not (folder / ENGINE).is_file():
        build(folder / ENGINE, HERE / "stubs/UnityEngine.cs", HERE / "stubs/UnityEditor.cs")
    sources = sorted((PACKAGE / "Runtime/Components").glob("*.cs"))
    build(folder / out, *sources, references=(CLIENT, ENGINE), options=(UNASSIGNED, *options))
