from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

from service.errors import StartError
from service.settings import Settings, markdown_table

PAGE = Path(__file__).resolve().parents[2] / "docs/settings.md"


def test_defaults_are_those_of_the_contract() -> None:
    settings = Settings.from_environment({})
    assert settings.http_port == 8000
    assert settings.max_bytes == 10 * 1024 * 1024
    assert settings.max_megapixels == 25
    assert settings.field_of_view == 63
    assert settings.default_min_score == 0.5
    assert settings.default_max_faces == 20
    assert settings.workers >= 1
    assert settings.models_dir.name == "models"
    assert (settings.precision, settings.execution_provider, settings.intra_op_threads) == ("int8", "cpu", 1)


def test_settings_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        Settings().http_port = 1  # type: ignore[misc]


def test_variables_are_read_as_what_they_are() -> None:
    environment = {
        "MFN_HTTP_PORT": "9",
        "MFN_NMS_IOU": "0.3",
        "MFN_MODELS_DIR": "/m",
        "MFN_HOST": "::1",
        "PATH": "/bin",
    }
    settings = Settings.from_environment(environment)
    assert (settings.http_port, settings.nms_iou, settings.models_dir, settings.host) == (9, 0.3, Path("/m"), "::1")


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("MFN_HTTP_PORT", "80a", "a whole number from 0 to 65535"),
        ("MFN_HTTP_PORT", "65536", "from 0 to 65535"),
        ("MFN_WORKERS", "0", "from 1 to"),
        ("MFN_WORKERS", "1.5", "a whole number"),
        ("MFN_MAX_MEGAPIXELS", "nan", "a number from"),
        ("MFN_DEADLINE_SECONDS", "inf", "a number from"),
        ("MFN_LOG_LEVEL", "loud", "one of critical"),
        ("MFN_PRECISION", "float16", "one of int8, float32"),
        ("MFN_EXECUTION_PROVIDER", "gpu", "one of cpu, cuda, coreml, openvino"),
        ("MFN_HOST", "", "a text"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_name(name: str, text: str, expected: str) -> None:
    with pytest.raises(StartError, match=name) as refused:
        Settings.from_environment({name: text})
    assert repr(text) in str(refused.value)
    assert expected in str(refused.value)


def test_an_unknown_variable_is_refused_by_name() -> None:
    with pytest.raises(StartError, match=r"MFN_HTTP_PROT is not a setting.*MFN_HTTP_PORT"):
        Settings.from_environment({"MFN_HTTP_PROT": "80"})


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("MFN_MAX_FACE", "MFN_DEFAULT_MAX_FACES"),
        ("MFN_WORKER", "MFN_WORKERS"),
        ("MFN_TLS_CERT_FILE", "MFN_TLS_CERTIFICATE_FILE"),
        ("MFN_API_KEY", "MFN_API_KEYS"),
    ],
)
def test_what_was_meant_by_a_name_that_is_misspelt_is_suggested(name: str, meant: str) -> None:
    with pytest.raises(StartError, match=rf"{name} is not a setting\. Did you mean .*{meant}\b.*\?"):
        Settings.from_environment({name: "3"})


def test_a_name_like_no_other_brings_the_list_of_all() -> None:
    with pytest.raises(StartError, match=r"MFN_ZZZ is not a setting\..* the settings are MFN_API_KEYS, .*MFN_WORKERS"):
        Settings.from_environment({"MFN_ZZZ": "3"})


def test_the_links_of_a_kubernetes_service_are_no_settings() -> None:
    links = {
        "MFN_SERVICE_HOST": "10.0.0.1",
        "MFN_SERVICE_PORT": "8000",
        "MFN_SERVICE_PORT_HTTP": "8000",
        "MFN_PORT": "tcp://10.0.0.1:8000",
        "MFN_PORT_8000_TCP_ADDR": "10.0.0.1",
    }
    assert Settings.from_environment(links) == Settings()
    with pytest.raises(StartError, match="MFN_PORT is not a setting"):
        Settings.from_environment({"MFN_PORT": "8080"})


def test_table_describes_every_setting() -> None:
    lines = markdown_table().splitlines()[2:]
    assert len(lines) == len(fields(Settings))
    for setting, line in zip(fields(Settings), lines, strict=True):
        _, variable, default, meaning, _ = (part.strip() for part in line.split("|"))
        assert variable == f"`MFN_{setting.name.upper()}`"
        assert default
        assert meaning


def test_the_page_of_settings_shows_the_table() -> None:
    assert markdown_table() in PAGE.read_text("utf-8")
