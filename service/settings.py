"""The server's settings: one frozen object, read once from MFN_* environment variables."""

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Self

from service.cores import usable_cores
from service.errors import StartError
from service.published import published

PREFIX: Final = "MFN_"
# Variables that Kubernetes sets in every pod of a namespace with a Service named mfn; they are no settings.
SERVICE_LINK: Final = re.compile(r"MFN_(SERVICE_(HOST|PORT\w*)|PORT_\d+_(TCP|UDP|SCTP)\w*)=.*|MFN_PORT=\w+://.*")
SUGGESTIONS: Final = 2  # number of names suggested for a misspelt one, at most
LOG_LEVELS: Final = ("critical", "error", "warning", "info", "debug")
LOG_FORMATS: Final = ("json", "text")
PRECISIONS: Final = ("int8", "float32")
ON, OFF = "on", "off"
PROVIDER_NAMES: Final = ("cpu", "cuda", "coreml", "openvino")  # of execution providers, see service.inference.execution
# Lowest and highest values, of settings and of requests' own parameters.
SCORE_RANGE: Final = (0.01, 1)
FACES_RANGE: Final = (1, 100)


def _number(default: float, low: float, high: float, description: str) -> Any:
    """A setting within low..high, both included; an integer where the default is one."""
    return field(default=default, metadata={"description": description, "low": low, "high": high})


def _secret(description: str) -> Any:
    """A text that is not shown when settings are printed."""
    return field(default="", repr=False, metadata={"description": description, "choices": (), "shown": "none"})


def _text(default: str, description: str, choices: tuple[str, ...] = ()) -> Any:
    return field(default=default, metadata={"description": description, "choices": choices, "shown": default or "none"})


@dataclass(frozen=True)
class Settings:
    """All settings of the server. The environment variable of a field is MFN_ and its name in capitals."""

    host: str = _text(
        "::",
        "address to listen on; :: is every one of IPv4 and IPv6, 0.0.0.0 every one of IPv4 (gRPC: of both); "
        "localhost or 127.0.0.1 serves this machine only",
    )
    http_port: int = _number(8000, 0, 65535, "port of REST and WebSocket; 0 takes a free one")
    grpc_port: int = _number(50051, 0, 65535, "port of gRPC; 0 takes a free one")
    models_dir: Path = field(
        default_factory=lambda: published("models"),
        metadata={"description": "folder with manifest.json and the files it names", "shown": "models"},
    )
    max_bytes: int = _number(10 * 2**20, 1, 2**30, "most bytes of an encoded picture")
    max_megapixels: float = _number(
        25.0, 0.01, 500, "most pixels of an encoded picture, in millions; of a JPEG 8 times as many"
    )
    max_raw_megapixels: float = _number(
        9.0, 0.01, 256, "most pixels of a raw picture, in millions; 4096 x 2160 by default"
    )
    default_min_score: float = _number(0.5, *SCORE_RANGE, "least score of a face where a request names none")
    default_max_faces: int = _number(20, *FACES_RANGE, "most faces in an answer where a request names no number")
    nms_iou: float = _number(0.5, 0.05, 1, "boxes that overlap by more than this (IoU) are one face")
    field_of_view: float = _number(63.0, 1, 179, "vertical field of view in degrees that is assumed for translation z")
    workers: int = field(
        default_factory=lambda: usable_cores().count,
        metadata={
            "description": "pictures in work at once; a container's CPU quota counts as so many cores, rounded up",
            "low": 1,
            "high": 1024,
            "shown": "number of cores",
        },
    )
    intra_op_threads: int = _number(1, 1, 1024, "threads one picture may use inside a network")
    precision: str = _text("int8", f"what the networks calculate in: {' or '.join(PRECISIONS)}", PRECISIONS)
    execution_provider: str = _text("cpu", f"what runs the networks: {', '.join(PROVIDER_NAMES)}", PROVIDER_NAMES)
    queue_length: int = _number(32, 0, 100_000, "pictures that may wait for a worker; one more is refused with 429")
    max_waiting_bytes: int = _number(
        384 * 2**20,
        2**20,
        2**40,
        "bytes that REST bodies and streams' frames that come in or wait for a worker may have together; one that does "
        "not fit is refused with 429; there is always room for one of the largest pictures",
    )
    deadline_seconds: float = _number(10.0, 0.01, 3600, "longest time for a picture once it has come, before 504")
    min_upload_rate: int = _number(
        8 * 2**10, 0, 2**30, "slowest rate of a request's body that is waited for, in bytes a second; 408 below"
    )
    upload_grace_seconds: float = _number(
        10.0, 0.01, 3600, "time over which that rate is measured; a body's last bytes have to come within it, too"
    )
    max_header_bytes: int = _number(64 * 2**10, 1024, 2**20, "most bytes of a request's line and headers; 431 above")
    max_headers: int = _number(100, 10, 10_000, "most headers of a request, trailers included; 431 above")
    header_seconds: float = _number(
        10.0,
        0.1,
        3600,
        "longest time for a request's headers or a stream's configuration, before the connection ends; "
        "of a TLS handshake at most 3 s",
    )
    keep_alive_seconds: float = _number(
        75.0,
        0.1,
        86_400,
        "how long HTTP connections stay open without a request; longer than load balancers in front keep theirs",
    )
    max_connections: int = _number(
        512, 1, 100_000, "HTTP connections at once; one more ends that which waits for the longest time"
    )
    max_streams: int = _number(64, 0, 100_000, "streams that may be open at once; one more is refused")
    frame_deadline_seconds: float = _number(
        5.0, 0.01, 3600, "longest time for a frame, until its sender takes the answer; then the stream ends"
    )
    stream_idle_seconds: float = _number(
        60.0, 0.01, 86_400, "longest time until the next message of a stream, or a gRPC call's own, has come in full"
    )
    drain_seconds: float = _number(20.0, 0, 3600, "longest time that requests in work get to finish after SIGTERM")
    drain_delay_seconds: float = _number(
        0.0,
        0,
        3600,
        "time after SIGTERM in which it is not ready, yet serves what still comes, until those who send look elsewhere",
    )
    max_connection_age_seconds: float = _number(
        0.0,
        0,
        86_400,
        "age at which gRPC connections and WebSocket streams end, to come again and spread over new servers; 0: never",
    )
    api_keys: str = _secret(
        "keys that are let in, with commas between; without any, and without a file of them, everybody is"
    )
    api_keys_file: Path | None = field(
        default=None, metadata={"description": "file of keys that are let in, one a line", "shown": "none"}
    )
    cors_origins: str = _text(
        "", "origins of web pages of other hosts that may ask, with commas between, or *; none unless set"
    )
    studio: str = _text(
        ON, f"whether the Studio, a page in which faces move characters, is served: {ON} or {OFF}", (ON, OFF)
    )
    trusted_proxies: str = _text(
        "127.0.0.1, ::1",
        "addresses or networks of proxies whose X-Forwarded-For and X-Forwarded-Host are believed, "
        "with commas between, or *",
    )
    tls_certificate_file: Path | None = field(
        default=None, metadata={"description": "certificate chain, PEM, for TLS on both ports", "shown": "none"}
    )
    tls_key_file: Path | None = field(
        default=None,
        metadata={"description": "its private key, PEM, without a passphrase", "shown": "none"},
    )
    otlp_endpoint: str = _text("", "where traces go, as http://localhost:4318/v1/traces; needs the extra telemetry")
    log_format: str = _text("json", f"how log lines look: {' or '.join(LOG_FORMATS)}", LOG_FORMATS)
    log_level: str = _text("info", f"least severe log lines shown: {', '.join(LOG_LEVELS)}", LOG_LEVELS)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Reads the settings from MFN_* variables. Raises StartError where one is unknown or its value is invalid."""
        known = {PREFIX + setting.name.upper(): setting for setting in fields(cls)}
        given = {
            name: value
            for name, value in environment.items()
            if name.startswith(PREFIX) and not SERVICE_LINK.fullmatch(f"{name}={value}")
        }
        if unknown := sorted(given.keys() - known.keys()):
            raise StartError(f"{unknown[0]} is not a setting. {_suggestion(unknown[0], known)}")
        return cls(**{known[name].name: _parse(name, text, known[name]) for name, text in given.items()})


def _suggestion(name: str, known: Iterable[str]) -> str:
    """The sentences that suggest known names for an unknown one."""
    if near := difflib.get_close_matches(name, known, SUGGESTIONS):
        return f"Did you mean {' or '.join(near)}? Correct its name, or unset it."
    return f"Unset it; the settings are {', '.join(sorted(known))}."


def _parse(name: str, text: str, setting: Any) -> Any:
    metadata = setting.metadata
    if setting.type in (Path, Path | None):
        return Path(text)
    if setting.type is str:
        choices = metadata["choices"]
        if not text or (choices and text not in choices):
            raise StartError(f"{name} is {text!r}; expected {'one of ' + ', '.join(choices) if choices else 'a text'}.")
        return text
    low, high = metadata["low"], metadata["high"]
    noun = "a whole number" if setting.type is int else "a number"
    try:
        value = setting.type(text)
    except ValueError:
        value = None
    if value is None or not low <= value <= high:  # a NaN is in no range
        raise StartError(f"{name} is {text!r}; expected {noun} from {low} to {high}.")
    return value


def settings_help() -> str:
    """The settings for a terminal, two lines each."""
    return "\n".join(
        f"  {PREFIX}{setting.name.upper()} (default: {setting.metadata.get('shown', setting.default)})\n"
        f"      {setting.metadata['description']}"
        for setting in fields(Settings)
    )


def markdown_table() -> str:
    """The settings as the README shows them, a line each."""
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for setting in fields(Settings):
        default = setting.metadata.get("shown", setting.default)
        lines.append(f"| `{PREFIX}{setting.name.upper()}` | {default} | {setting.metadata['description']} |")
    return "\n".join(lines) + "\n"
