"""What keeps the server from starting: one line that says why, another code than 0, and never a port that is open."""

import contextlib
import io
import json
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import onnx
import pytest
import trustme
from onnx import numpy_helper

from service.cli.main import main
from tests.service.processes import accepts, free_port, server
from tests.service.tiny_models import CELLS, write_manifest, write_models

DAY = timedelta(days=1)


def refused(models: Path, *words: str, **settings: str) -> None:
    """Asserts that `mfn serve` does not start, and that its one line has these words."""
    http, rpc = free_port(), free_port()
    ports = {"MFN_HTTP_PORT": str(http), "MFN_GRPC_PORT": str(rpc)}
    settings = {"MFN_MODELS_DIR": str(models), "MFN_HOST": "127.0.0.1"} | ports | settings
    taken = {port for port in (http, rpc) if str(port) not in settings.values()}
    opened: set[int] = set()
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.01):
            opened.update(port for port in (http, rpc) if port not in taken and accepts(port))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        with pytest.MonkeyPatch.context() as environment, contextlib.redirect_stderr(io.StringIO()) as errors:
            for name, value in settings.items():
                environment.setenv(name, value)
            code = main(["serve"])
    finally:
        ended.set()
        watching.join()
    assert code == 1, errors.getvalue()
    assert not opened
    (line,) = errors.getvalue().splitlines()
    assert line.startswith("mfn: ")
    for word in words:
        assert word in line


@pytest.mark.parametrize("setting", ["MFN_HTTP_PORT", "MFN_GRPC_PORT"])
def test_a_port_that_is_taken(models_dir: Path, setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused(models_dir, f"127.0.0.1 port {port}: Address already in use", setting, **{setting: port})


def test_one_port_for_both(models_dir: Path) -> None:
    port = str(free_port())
    with server(models_dir, int(port), MFN_GRPC_PORT=port) as process:
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"port {port}" in errors.splitlines()[-1]
    assert not accepts(int(port))


def test_a_setting_that_is_misspelt(models_dir: Path) -> None:
    refused(models_dir, "MFN_MAX_FACE is not a setting", "Did you mean MFN_DEFAULT_MAX_FACES", MFN_MAX_FACE="3")


def test_an_origin_that_no_browser_sends(models_dir: Path) -> None:
    refused(
        models_dir, "MFN_CORS_ORIGINS has 'https://a.example/'", "without a path", MFN_CORS_ORIGINS="https://a.example/"
    )


def test_a_proxy_that_is_no_address(models_dir: Path) -> None:
    refused(models_dir, "MFN_TRUSTED_PROXIES", "'nginx'", "addresses and networks", MFN_TRUSTED_PROXIES="nginx")


def test_a_file_of_keys_that_is_missing(models_dir: Path, tmp_path: Path) -> None:
    file = str(tmp_path / "keys")
    refused(models_dir, file, "No such file", "one key a line", MFN_API_KEYS_FILE=file)


@pytest.mark.parametrize(
    ("dates", "words"),
    [((-2, -1), ("has run out on", "Renew it")), ((1, 2), ("is not valid before", "clock"))],
    ids=["run out", "not yet"],
)
def test_a_certificate_of_another_time(
    models_dir: Path, tmp_path: Path, dates: tuple[int, int], words: tuple[str, ...]
) -> None:
    now = datetime.now(UTC)
    begin, end = (now + days * DAY for days in dates)
    certificate = trustme.CA().issue_cert("localhost", not_before=begin, not_after=end)
    refused(models_dir, str(tmp_path / "chain.pem"), *words, **written(tmp_path, certificate, certificate))


def test_a_certificate_with_the_key_of_another(models_dir: Path, tmp_path: Path) -> None:
    first, second = (trustme.CA().issue_cert("localhost") for _ in range(2))
    settings = written(tmp_path, first, second)
    refused(models_dir, *settings.values(), "is not that of the certificate", "made together", **settings)


def test_a_key_that_is_missing(models_dir: Path, tmp_path: Path) -> None:
    certificate = trustme.CA().issue_cert("localhost")
    settings = written(tmp_path, certificate, certificate)
    (tmp_path / "key.pem").unlink()
    refused(models_dir, "MFN_TLS_KEY_FILE", str(tmp_path / "key.pem"), "No such file", **settings)


def written(folder: Path, chain: trustme.LeafCert, key: trustme.LeafCert) -> dict[str, str]:
    """The settings for TLS with a certificate and a key, in files."""
    chain.cert_chain_pems[0].write_to_path(folder / "chain.pem")
    key.private_key_pem.write_to_path(folder / "key.pem")
    return {
        "MFN_TLS_CERTIFICATE_FILE": str(folder / "chain.pem"),
        "MFN_TLS_KEY_FILE": str(folder / "key.pem"),
    }


def cut_short(folder: Path) -> None:
    path = folder / "mfn.int8.onnx"
    path.write_bytes(path.read_bytes()[:-1])


def of_other_shapes(folder: Path) -> None:
    """SFN's file, with its own checksum, where the manifest has MFN."""
    (folder / "mfn.int8.onnx").write_bytes((folder / "sfn.int8.onnx").read_bytes())
    write_manifest(folder)


def of_one_size(folder: Path) -> None:
    """An MFN that fails at 192 pixels, though its manifest offers them."""
    path = folder / "mfn.int8.onnx"
    model = onnx.load(path)
    (rows,) = (constant for constant in model.graph.initializer if constant.name == "rows")
    rows.CopyFrom(numpy_helper.from_array(np.array([1, CELLS * CELLS, 1]), "rows"))
    onnx.save(model, path)
    write_manifest(folder)


def gone(folder: Path) -> None:
    (folder / "sfn.int8.onnx").unlink()


def without_a_version(folder: Path) -> None:
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    del manifest["version"]
    path.write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (cut_short, ("mfn.int8.onnx", "sha256", "Restore")),
        (of_other_shapes, ("mfn.int8.onnx", "shape", "manifest.json", "Restore")),
        (of_one_size, ("192 pixels", "Restore")),
        (gone, ("sfn.int8.onnx", "No such file", "MFN_MODELS_DIR")),
        (without_a_version, ("manifest.json", "version")),
    ],
)
def test_models_that_do_not_fit_the_manifest(
    tmp_path: Path, spoil: Callable[[Path], None], words: tuple[str, ...]
) -> None:
    write_models(tmp_path)
    spoil(tmp_path)
    refused(tmp_path, str(tmp_path), *words)
