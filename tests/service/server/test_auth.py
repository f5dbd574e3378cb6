from pathlib import Path

import pytest

from service.errors import UNAUTHENTICATED, RequestError, StartError
from service.server.auth import ApiKeys

FIRST, SECOND = "a-key-of-some-length", "another-key-of-some-length"


def keys(tmp_path: Path, text: str = f"# for games\n{SECOND}  # for the web\n\n") -> ApiKeys:
    file = tmp_path / "keys"
    file.write_text(text)
    return ApiKeys.of_setting(FIRST, file)


@pytest.mark.parametrize("key", [FIRST, SECOND])
@pytest.mark.parametrize("header", ["authorization", "x-api-key"])
def test_each_key_is_let_in_by_either_header(tmp_path: Path, key: str, header: str) -> None:
    keys(tmp_path).check({header: f"Bearer {key}" if header == "authorization" else key})


@pytest.mark.parametrize(
    ("headers", "problem"),
    [
        ({}, "missing"),
        ({"authorization": "Basic abc"}, "missing"),
        ({"authorization": f"Bearer {FIRST}x"}, "wrong"),
        ({"x-api-key": FIRST[:-1]}, "wrong"),
        ({"x-api-key": "ключ-из-многих-букв"}, "wrong"),
        ({"x-api-key": "# for games"}, "wrong"),
    ],
)
def test_nothing_else_is(tmp_path: Path, headers: dict[str, str], problem: str) -> None:
    with pytest.raises(RequestError, match=problem) as refused:
        keys(tmp_path).check(headers)
    assert refused.value.kind is UNAUTHENTICATED
    assert FIRST not in refused.value.detail


def test_without_keys_everybody_is() -> None:
    ApiKeys.of_setting("", None).check({})
    assert not ApiKeys.of_setting(" , ", None).required


def test_a_file_that_is_missing_or_empty_or_short_keys_keep_the_server_from_starting(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"MFN_API_KEYS_FILE.*cannot be read"):
        ApiKeys.of_setting("", tmp_path / "none")
    with pytest.raises(StartError, match="holds no key"):
        keys(tmp_path, "# nothing\n")
    with pytest.raises(StartError, match="fewer than 16"):
        ApiKeys.of_setting("short", None)
