"""What is recorded can be read elsewhere."""

import csv
import io
import json
from pathlib import Path

import av
from playwright.sync_api import Download

from service.vision.arkit import ARKIT_NAMES
from tests.studio.browser.conftest import OpenStudio


def test_a_recording_is_a_video_json_lines_and_a_csv_a_person(open_studio: OpenStudio, tmp_path: Path) -> None:
    tab = open_studio()
    tab.moving()
    saved: list[Download] = []
    tab.page.on("download", lambda download: saved.append(download))
    tab.page.get_by_role("button", name="What is recorded").click()
    for box in tab.page.get_by_role("checkbox").all():
        box.check()
    tab.page.keyboard.press("Escape")
    tab.page.keyboard.press("v")
    tab.page.wait_for_timeout(1500)
    tab.page.set_viewport_size({"width": 400, "height": 480})
    tab.page.wait_for_timeout(1000)
    tab.page.keyboard.press("v")
    tab.page.get_by_role("button", name="Record", exact=True).wait_for()
    for _ in range(100):
        if len(saved) >= 4:
            break
        tab.page.wait_for_timeout(100)
    files = {}
    for download in saved:
        path = tmp_path / download.suggested_filename
        download.save_as(path)
        files[path.name] = path
    (video,) = [path for name, path in files.items() if name.endswith(".webm")]
    (lines,) = [path for name, path in files.items() if name.endswith(".jsonl")]
    tables = [path for name, path in files.items() if name.endswith(".csv")]
    with av.open(str(video)) as film:
        assert film.duration is not None
        assert film.duration / av.time_base > 2.4  # seconds, as long as it was recorded
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    assert len(frames) > 1
    assert len({frame.shape for frame in frames}) == 1  # whatever became of the window
    tab.wait("() => { const c = document.querySelector('canvas'); return c.width / c.height < 1 }")  # afterwards
    assert frames[-1].std() > 5  # something is on it
    answers = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
    assert len(answers) > 1
    assert len(tables) == 2  # one a person
    for table in tables:
        rows = list(csv.DictReader(io.StringIO(table.read_text(encoding="utf-8"))))
        assert len(rows) > 1
        names = {name[:1].upper() + name[1:] for name in ARKIT_NAMES}
        assert names <= set(rows[0])
        assert int(rows[0]["BlendshapeCount"]) == 61
        assert all(0 <= float(row["JawOpen"]) <= 1 for row in rows)
