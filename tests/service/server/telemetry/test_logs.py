import json
import logging
import sys

from service.server.telemetry.logs import JsonFormatter, TextFormatter


def record(message: str, *args: object, **extra: object) -> logging.LogRecord:
    line = logging.LogRecord("mfn.requests", logging.WARNING, __file__, 1, message, args, None)
    line.created = 1700000000.25
    line.__dict__.update(extra)
    return line


def test_a_line_is_an_object() -> None:
    line = json.loads(JsonFormatter().format(record("%d of %s", 3, "ü\n", fields={"request_id": "r1", "code": "OK"})))
    assert line == {
        "time": "2023-11-14T22:13:20.250+00:00",
        "level": "warning",
        "logger": "mfn.requests",
        "message": "3 of ü\n",
        "request_id": "r1",
        "code": "OK",
    }


def test_an_error_brings_its_traceback_in_the_same_line() -> None:
    failed = record("no")
    try:
        raise ZeroDivisionError("here")
    except ZeroDivisionError:
        failed.exc_info = sys.exc_info()
    text = JsonFormatter().format(failed)
    assert "\n" not in text
    assert "ZeroDivisionError: here" in json.loads(text)["error"]


def test_text_shows_fields_behind_the_message() -> None:
    assert TextFormatter().format(record("request", fields={"code": 200})).endswith("WARNING  request code=200")
