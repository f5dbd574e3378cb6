"""Which provider runs the networks; onnxruntime's installed package has the CPU's only, others are played here."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import onnxruntime
import pytest

from service.errors import StartError
from service.inference.execution import PROVIDERS, Execution
from service.inference.models import Models
from service.settings import PRECISIONS, PROVIDER_NAMES, Settings

CPU = "CPUExecutionProvider"
NAMES = {
    "cuda": "CUDAExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
}
PACKAGES = {"cuda": "onnxruntime-gpu[cuda,cudnn]", "coreml": "macOS", "openvino": "onnxruntime-openvino"}
accelerated = pytest.mark.parametrize("provider", list(NAMES))


@dataclass
class Runtime:
    """An onnxruntime that has every provider. asked: those of each session, with their options. starts: the providers
    that a session has in the end, or the error of their start."""

    starts: Callable[[str], list[str] | Exception]
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def session(self, network: bytes, options: Any, providers: list[Any], **choices: Any) -> Any:
        assert choices == {"enable_fallback": 0}, "a provider that fails would be replaced in silence"
        ((name, provider_options),) = providers
        self.asked.append((name, provider_options))
        started = self.starts(name)
        if isinstance(started, Exception):
            raise started
        session = real_session(network, options, providers=[CPU])
        session.get_providers = lambda: started
        return session


real_session = onnxruntime.InferenceSession


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[str], list[str] | Exception]], Runtime]:
    def played(starts: Callable[[str], list[str] | Exception]) -> Runtime:
        runtime = Runtime(starts)
        monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [*NAMES.values(), CPU])
        monkeypatch.setattr(onnxruntime, "InferenceSession", runtime.session)
        return runtime

    return played


def refused(folder: Path, provider: str) -> str:
    with pytest.raises(StartError) as error:
        Models.load(folder, Execution(provider=provider))
    return str(error.value)


def test_settings_and_execution_begin_alike() -> None:
    settings, execution = Settings(), Execution()
    assert (settings.precision, settings.execution_provider) == (execution.precision, execution.provider)
    assert (execution.precision, execution.provider) == ("int8", "cpu")
    assert set(PRECISIONS) == {"int8", "float32"}
    assert set(PROVIDERS) == set(PROVIDER_NAMES) == {"cpu", *NAMES}


def test_the_cpu_is_there(models_dir: Path) -> None:
    models = Models.load(models_dir, Execution(threads=2))
    assert models.mfn.session.get_providers() == models.sfn.session.get_providers() == [CPU]
    assert models.mfn.session.get_session_options().intra_op_num_threads == 2


@accelerated
def test_a_provider_that_is_not_installed_is_told_with_what_to_install(
    models_dir: Path, monkeypatch: pytest.MonkeyPatch, provider: str
) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["AzureExecutionProvider", CPU])
    message = refused(models_dir, provider)
    assert f"MFN_EXECUTION_PROVIDER asks for {provider}" in message
    assert f"AzureExecutionProvider, {CPU}" in message
    assert PACKAGES[provider] in message
    assert "\n" not in message


@accelerated
def test_a_session_that_fell_back_to_the_cpu_is_refused(
    models_dir: Path, play: Callable[..., Runtime], provider: str
) -> None:
    play(lambda _: [CPU])
    message = refused(models_dir, provider)
    assert f"{provider}, which does not start" in message
    assert "above" in message
    assert PACKAGES[provider] in message
    assert NAMES[provider] in message


@accelerated
def test_a_provider_that_fails_to_start_is_refused(
    models_dir: Path, play: Callable[..., Runtime], provider: str
) -> None:
    play(lambda _: RuntimeError("no device\n  was found"))
    message = refused(models_dir, provider)
    assert f"{provider}, which does not start: no device was found" in message
    assert PACKAGES[provider] in message


@accelerated
def test_a_provider_that_starts_runs_both_networks(
    models_dir: Path, play: Callable[..., Runtime], provider: str
) -> None:
    runtime = play(lambda name: [name, CPU])
    models = Models.load(models_dir, Execution(provider=provider))
    assert models.execution.provider == provider
    assert [name for name, _ in runtime.asked] == [NAMES[provider]] * 2
    assert all(isinstance(value, str) for _, options in runtime.asked for value in options.values())


def test_openvino_has_a_stream_for_each_run_and_threads_for_each_stream(
    models_dir: Path, play: Callable[..., Runtime]
) -> None:
    runtime = play(lambda name: [name, CPU])
    Models.load(models_dir, Execution(provider="openvino", threads=3, runs=4))
    _, options = runtime.asked[0]
    assert (options["num_streams"], options["num_of_threads"]) == ("4", "12")


def test_what_the_search_for_cuda_prints_is_no_output_of_ours(
    models_dir: Path,
    play: Callable[..., Runtime],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    play(lambda name: [name, CPU])
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: print("Failed to load libcublas"))
    Models.load(models_dir, Execution(provider="cuda"))
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "Failed to load libcublas\n")
