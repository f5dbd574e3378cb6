"""The Android project's files agree with each other and with what they copy; what Gradle alone can tell is not tested.

The Kotlin is compiled by tests/models/mobile/test_kotlin.py.
"""

import re
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.docs.pages import ROOT

PROJECT = ROOT / "clients/android"
MAIN = PROJECT / "app/src/main"
NAMESPACE = "{http://schemas.android.com/apk/res/android}"


def build_file(module: str) -> str:
    return (PROJECT / module / "build.gradle.kts").read_text(encoding="utf-8")


def test_what_is_copied_into_the_assets_is_there_and_is_what_the_app_opens() -> None:
    copied = re.findall(r'models\.resolve\("([^"]+)"\)', build_file("app"))
    assert len(copied) == 4
    assert not [path for path in copied if not (ROOT / "models" / path).is_file()]
    code = "".join(file.read_text(encoding="utf-8") for file in MAIN.rglob("*.kt"))
    opened = set(re.findall(r'"([\w.]+\.(?:tflite|bin))"', code))
    assert opened == {Path(path).name for path in copied} - {"face_model.LICENSE"}


def test_the_folders_of_other_parts_of_the_repository_are_there() -> None:
    for path in re.findall(r'checkout\.resolve\("([^"]+)"\)', build_file("mfn")):
        assert (ROOT / path).is_dir()
    for name in re.findall(r'"(\w+\.(?:txt|bin))"', build_file("mfn")):
        assert (ROOT / "models/mobile" / name).is_file()
    assert (ROOT / "tests/models/mobile/kotlin/Check.kt").is_file()


def test_every_alias_is_in_the_catalogue() -> None:
    catalogue = tomllib.loads((PROJECT / "gradle/libs.versions.toml").read_text(encoding="utf-8"))
    known = {f"libs.{name.replace('-', '.')}" for name in catalogue["libraries"]}
    known |= {f"libs.plugins.{name.replace('-', '.')}" for name in catalogue["plugins"]}
    files = [PROJECT / "build.gradle.kts", *PROJECT.glob("*/build.gradle.kts")]
    used = {name for file in files for name in re.findall(r"\((libs\.[\w.]+)\)", file.read_text(encoding="utf-8"))}
    assert used == known
    for entry in (*catalogue["libraries"].values(), *catalogue["plugins"].values()):
        assert entry["version"]["ref"] in catalogue["versions"]


@pytest.mark.parametrize("document", ["models/mobile/README.md"])
def test_documents_name_the_catalogues_versions(document: str) -> None:
    versions = tomllib.loads((PROJECT / "gradle/libs.versions.toml").read_text(encoding="utf-8"))["versions"]
    text = (ROOT / document).read_text(encoding="utf-8")
    assert set(re.findall(r"androidx\.camera:[\w-]+:([\d.]+)", text)) == {versions["camera"]}
    assert set(re.findall(r"edge\.litert:litert:([\d.]+)", text)) == {versions["litert"]}


def test_the_manifest_starts_the_activity_and_asks_for_the_camera() -> None:
    root = ElementTree.parse(MAIN / "AndroidManifest.xml").getroot()
    (activity,) = root.iter("activity")
    assert (MAIN / f"kotlin/mfn/app/{activity.get(f'{NAMESPACE}name', '').lstrip('.')}.kt").is_file()
    assert [entry.get(f"{NAMESPACE}name") for entry in root.iter("uses-permission")] == ["android.permission.CAMERA"]


def test_every_text_is_used() -> None:
    strings = ElementTree.parse(MAIN / "res/values/strings.xml").getroot()
    named = {str(entry.get("name")) for entry in strings}
    code = "".join(file.read_text(encoding="utf-8") for file in MAIN.rglob("*.kt"))
    manifest = (MAIN / "AndroidManifest.xml").read_text(encoding="utf-8")
    assert named == {*re.findall(r"R\.string\.(\w+)", code), *re.findall(r"@string/(\w+)", manifest)}
