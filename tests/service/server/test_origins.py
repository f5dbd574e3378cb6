import pytest

from service.errors import ORIGIN_REFUSED, RequestError, StartError
from service.server.origins import Origins

APPS = "null, file://, capacitor://localhost, tauri://localhost, chrome-extension://abcdefgh, http://[::1]:3000"


@pytest.mark.parametrize("text", ["", "*", "https://example.com", "http://localhost:3000 , https://a.example", APPS])
def test_origins_as_browsers_send_them(text: str) -> None:
    origins = Origins.of_setting(text)
    assert origins.named == tuple(part.strip() for part in text.split(",") if part)
    for origin in origins.named:
        origins.check(origin, "faces.example")


@pytest.mark.parametrize(
    "origin",
    [
        "https://example.com/",
        "https://example.com/app",
        "https://Example.com",
        "HTTPS://example.com",
        "https://example.com:443",
        "http://example.com:80",
        "example.com",
        "https://user@example.com",
        "https://a.example https://b.example",
        "Null",
        "https://*.example.com/*",
    ],
)
def test_origins_that_no_browser_sends(origin: str) -> None:
    with pytest.raises(StartError, match=r"MFN_CORS_ORIGINS has .*https://example\.com or") as refused:
        Origins.of_setting(f"https://fine.example,{origin}")
    assert repr(origin) in str(refused.value)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (None, "faces.example"),
        ("https://faces.example", "faces.example"),
        ("https://faces.example", "Faces.Example:443"),
        ("http://localhost:8000", "localhost:8000"),
        ("http://[::1]:8000", "[::1]:8000"),
    ],
)
def test_programs_and_the_servers_own_pages_may_ask(origin: str | None, host: str) -> None:
    Origins().check(origin, host)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://elsewhere.example", "faces.example"),
        ("https://faces.example.elsewhere.example", "faces.example"),
        ("http://localhost:8001", "localhost:8000"),
        ("http://faces.example", "faces.example:443"),
        ("null", "faces.example"),
        ("file://", ""),
        ("", ""),
        ("https://named.example.", "faces.example"),
    ],
)
def test_pages_of_others_may_not(origin: str, host: str) -> None:
    with pytest.raises(RequestError, match="MFN_CORS_ORIGINS") as refused:
        Origins.of_setting("https://named.example").check(origin, host)
    assert refused.value.kind is ORIGIN_REFUSED
    assert origin in refused.value.detail
