"""Pictures are made where matplotlib is there; what the command line prints."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deploy.planning.autoscaling.__main__ import report, write
from deploy.planning.autoscaling.cluster import Startup
from deploy.planning.autoscaling.production import production
from deploy.planning.autoscaling.requests import Queue, Requests
from deploy.planning.autoscaling.scenarios import COMPARED, HEADER, Costs, Scenario
from deploy.planning.autoscaling.simulation import ideal, simulate


def scenario() -> Scenario:
    installed = production()
    queue = Queue.of(installed.cores, installed.settings.queue_length, 0.02)
    load = np.concatenate([np.full(600, 4.0), np.full(600, 9.0)])
    course = simulate(installed, Requests(queue), load * queue.rate, 6, Startup())
    return Scenario("short", "A step", course, ideal(load * 2, installed), 70.0, span=(0.0, 1 / 3), failure=(0.1, 0.2))


def test_a_picture_is_small_and_not_empty(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="pictures need matplotlib, of the extra training")
    from deploy.planning.autoscaling.pictures import draw

    step = scenario()
    file = draw(step, production().autoscaler, tmp_path / "step.webp", step)
    assert file.stat().st_size < 60_000
    with Image.open(file) as picture:
        assert picture.format == "WEBP"
        assert len(picture.convert("RGB").getcolors(10**7) or ()) > 50


def test_results_are_part_of_a_page_and_its_pictures(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="pictures need matplotlib, of the extra training")
    step = replace(scenario(), name="web")
    told = report(production(), Costs(0.0091, 0.0085, 42.0), Startup(), 30, [step], [["70 %"] * len(COMPARED)])
    assert "| A step |" in told
    page = tmp_path / "page.md"
    page.write_text("Before\n\n<!-- autoscaling:begin -->\nold\n<!-- autoscaling:end -->\n\nAfter\n")
    write(page, told, production(), [step, replace(step, name="other", drawn=False)])
    assert [file.name for file in (tmp_path / "planning" / "figures").iterdir()] == ["autoscaling-web.webp"]
    text = page.read_text()
    assert "![A step](planning/figures/autoscaling-web.webp)" in text
    assert "old" not in text
    assert (text[:6], text[-6:]) == ("Before", "After\n")


def test_a_row_of_the_table() -> None:
    step = scenario()
    row = step.row()
    assert len(row) == len(HEADER)
    assert row[0] == "A step"
    assert step.fixed_hours == pytest.approx(13 * 1200 / 3600)  # 9 pods' worth at 70 %
    assert step.ideal_hours == pytest.approx((6 + 13) * 600 / 3600)
