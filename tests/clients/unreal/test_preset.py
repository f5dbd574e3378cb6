"""What the files for Unreal say is what the sender sends."""

import configparser
import csv
import json
from typing import Final

from service.cli.avatar.livelink import HEAD_AND_EYES, PORT, SHAPES
from service.vision.arkit import ARKIT_NAMES
from tests.docs.pages import ROOT

UNREAL: Final = ROOT / "clients/unreal"


def test_the_project_has_the_plugins_of_the_page() -> None:
    project = json.loads((UNREAL / "MfnFaces.uproject").read_text(encoding="utf-8"))
    assert project["FileVersion"] == 3
    assert [plugin["Name"] for plugin in project["Plugins"] if plugin["Enabled"]] == [
        "LiveLink", "LiveLinkControlRig", "AppleARKit", "AppleARKitFaceSupport",
    ]  # fmt: skip
    page = " ".join((ROOT / "docs/unreal.md").read_text(encoding="utf-8").split())
    for name in ("Live Link", "Live Link Control Rig", "Apple ARKit", "Apple ARKit Face Support"):
        assert f"*{name}*" in page


def test_unreal_listens_where_faces_are_sent() -> None:
    settings = configparser.ConfigParser(comment_prefixes=(";",))
    settings.read(UNREAL / "Config/DefaultEngine.ini", encoding="utf-8")
    (section,) = settings.sections()
    assert section == "/Script/AppleARKit.AppleARKitSettings"
    assert settings.getint(section, "LiveLinkPublishingPort") == PORT
    assert settings.getboolean(section, "bEnableLiveLinkForFaceTracking")
    assert f"UDP port {PORT}" in (ROOT / "docs/unreal.md").read_text(encoding="utf-8")


def test_curves_are_those_of_the_packet() -> None:
    with (UNREAL / "curves.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["place"]) for row in rows] == list(range(61))
    assert tuple(row["curve"] for row in rows) == (*SHAPES, *HEAD_AND_EYES)
    assert {row["arkit"] for row in rows} == {*ARKIT_NAMES, ""}
    assert all(row["arkit"].lower() in ("", row["curve"].lower()) for row in rows)  # no map: Unreal ignores case
