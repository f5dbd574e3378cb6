"""What the pages say of the program is what the program does; tables are current, links lead somewhere."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.inference.models import Models
from service.server.problems import CODES
from service.server.rest.outputs import OUTPUTS
from service.server.rest.retarget import PARAMETERS
from service.server.telemetry.metrics import DROP_REASONS, MODEL_LABELS, STAGES, Limits, Metrics
from service.settings import Settings, markdown_table
from service.vision.face_model import FaceModel
from service.vision.tile_layout import MAX_TILES, windows
from tests.docs.pages import OTHERS, PAGES, README, ROOT, name_of
from tools import readme
from tools.readme import DOCS, SCHEMA, part

DOCUMENTS = (README, *PAGES, *OTHERS)


def text_of(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def test_what_is_generated_is_current() -> None:
    assert not readme.stale(), "run `make readme`"


def test_checking_tells_what_is_not_current(monkeypatch: pytest.MonkeyPatch) -> None:
    assert readme.main(["--check"]) == 0
    monkeypatch.setattr(readme, "generated", lambda: {ROOT / "docs/settings.md": "another text"})
    assert readme.main(["--check"]) == 1


def test_help_writes_nothing(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readme, "generated", lambda: pytest.fail("asked for help, it went to work"))
    with pytest.raises(SystemExit, match="0"):
        readme.main(["--help"])
    assert "--check" in capsys.readouterr().out


def test_a_part_is_replaced_where_it_stands() -> None:
    text = "before\n<!-- begin a -->\n<!-- end a -->\nafter\n"
    renewed = readme.with_part("a", text, "new\n")
    assert renewed == "before\n<!-- begin a -->\nnew\n<!-- end a -->\nafter\n"
    assert readme.with_part("a", renewed, "") == text
    with pytest.raises(ValueError, match="no part 'b'"):
        part("b", text)


def test_every_setting_is_documented() -> None:
    assert part("settings", text_of("settings.md")) == markdown_table(), "run `make readme`"


def test_every_problem_is_documented() -> None:
    listed = re.findall(r"^\| `([\w-]+)` \| (.*) \| (\d+) \| (\w+) \| (\d+) \|$", text_of("problems.md"), re.MULTILINE)
    assert listed == [
        (kind.name, kind.title, str(codes.http), codes.grpc, str(codes.websocket)) for kind, codes in CODES.items()
    ]


def test_every_metric_is_documented() -> None:
    """Series that are not the process's own, as Prometheus sees them."""
    metrics = Metrics("1", "a", "int8", "cpu", Limits(1, 32, 64), lambda: 0)
    metrics.certificate(datetime(2030, 1, 1, tzinfo=UTC))  # with TLS it has every series that there is
    known = {family.name for family in metrics.registry.collect() if family.name.startswith("mfn_")}
    table = part("metrics", text_of("metrics.md"))
    listed = re.findall(r"^\| `(mfn_\w+)` \|", table, re.MULTILINE)
    assert {name.removesuffix("_total") for name in listed} == known
    assert f"| `mfn_model_info` | {', '.join(MODEL_LABELS)} |" in table
    assert ", ".join(STAGES) in table
    assert ", ".join(DROP_REASONS) in table


def test_every_expression_is_named_in_order() -> None:
    listed = part("expressions", text_of("models.md")).split()[1:-1]
    assert tuple(listed) == FaceModel.load(Settings().models_dir / "face_model.npz").expression_names


def test_every_parameter_of_rest_is_documented() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", text_of("rest.md"), re.MULTILINE)
    assert sorted(listed) == sorted(PARAMETERS)


def test_every_output_of_infer_is_documented() -> None:
    listed = re.findall(r"^\| `(\w+)` \| (\w+) \| ", text_of("kserve.md"), re.MULTILINE)
    assert listed == [(name, output.datatype) for name, output in OUTPUTS.items()]


def test_looks_of_tiles_are_as_the_table_says() -> None:
    listed = re.findall(r"^\| (\d) \| (\d+) \| (\d+) \|$", text_of("rest.md"), re.MULTILINE)
    counted = [(n, 1 + len(windows(1920, 1080, n)), 1 + len(windows(1000, 1000, n))) for n in range(2, MAX_TILES + 1)]
    assert [tuple(map(int, row)) for row in listed] == counted


def test_input_sizes_are_those_of_the_models() -> None:
    sizes = ", ".join(map(str, Models.load(Settings().models_dir).priors))
    first, second, third = sizes.split(", ")
    assert f"{first}, {second} or {third}" in text_of("rest.md")


def test_verdicts_are_counted_as_in_the_model_card() -> None:
    card = (ROOT / "models/MODEL_CARD.md").read_text(encoding="utf-8")
    counts = [len(re.findall(rf"\| \*\*{verdict}\*\* ", card)) for verdict in ("rely", "coarse", "do not rely")]
    rely, coarse, unreliable = counts
    text = " ".join(text_of("models.md").split())
    assert f"{rely} well, {coarse} coarsely, {unreliable} not, and one is never seen" in text


def test_the_schema_is_json() -> None:
    assert json.loads(SCHEMA.read_text(encoding="utf-8"))["$defs"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_link_leads_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    prose = re.sub(r"^```.*?^```|`[^`\n]*`", "", text, flags=re.MULTILINE | re.DOTALL)
    links = [*re.findall(r"\]\(\s*([^)\s]+)\s*\)", prose), *re.findall(r'src="([^"]+)"', prose)]
    for link in links:
        path, _, anchor = link.partition("#")
        if "://" in path:
            continue
        target = document.parent / path if path else document
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def anchors(document: Path) -> set[str]:
    """Of a document's headings, as GitHub and the site make them."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}
