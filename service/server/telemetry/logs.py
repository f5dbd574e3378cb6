"""Log formats: JSON objects for collectors, or text for people; both on standard error."""

import json
import logging
from datetime import UTC, datetime
from typing import Any, Final

from service.server.telemetry.log_writer import STANDARD_ERROR, LogWriter

# One encoder for all lines: json.dumps makes a new one for each that is not its own.
ENCODER: Final = json.JSONEncoder(ensure_ascii=False, default=str)


class JsonFormatter(logging.Formatter):
    """Formats log records as JSON objects.

    Members: time (RFC 3339), level, logger, message, those of the record's `fields`, and error, the traceback, where
    there is one.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return ENCODER.encode(line)


class TextFormatter(logging.Formatter):
    """Formats log records for people; `fields` follow the message as name=value."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-8s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """The record as text, in several lines where it has a traceback."""
        fields = "".join(f" {name}={value}" for name, value in getattr(record, "fields", {}).items())
        return super().format(record) + fields


def set_up_logs(level: str, form: str) -> LogWriter:
    """Sends log records of `level` and above, and warnings, to standard error. form: one of settings.LOG_FORMATS.

    Close what it returns in the end.
    """
    # As Python's documentation of logging advises ("Optimization"): what no line shows is not found out for each.
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = LogWriter(STANDARD_ERROR)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # uvicorn tells of each WebSocket that is opened and closed, with its address; each has a line of our own.
    logging.getLogger("uvicorn.error").setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(True)
    return handler
