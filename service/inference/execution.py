"""How the networks are run: in which precision, by which of onnxruntime's execution providers, in how many threads."""

import contextlib
import sys
from dataclasses import dataclass
from typing import Final

import onnxruntime

from service.errors import StartError


@dataclass(frozen=True)
class Provider:
    """name: onnxruntime's. needs: what to do where it is not there."""

    name: str
    needs: str


PROVIDERS: Final = {  # by the names of settings.PROVIDER_NAMES
    "cpu": Provider("CPUExecutionProvider", "Install onnxruntime"),
    "cuda": Provider(
        "CUDAExecutionProvider",
        "Install onnxruntime-gpu[cuda,cudnn] in place of onnxruntime, on a machine with an NVIDIA GPU and its driver",
    ),
    "coreml": Provider("CoreMLExecutionProvider", "Run on macOS, with onnxruntime's package for it"),
    "openvino": Provider("OpenVINOExecutionProvider", "Install onnxruntime-openvino in place of onnxruntime"),
}


@dataclass(frozen=True)
class Execution:
    """How networks are run. precision: of settings.PRECISIONS. provider: of PROVIDERS, that of the processor that runs
    them. threads: of the CPU, inside one run of a network. runs: of a network that go on at the same time."""

    precision: str = "int8"
    provider: str = "cpu"
    threads: int = 1
    runs: int = 1

    @property
    def form(self) -> str:
        """Name of the networks' form in the manifest."""
        return f"{self.precision}.onnx"

    def prepare(self) -> None:
        """To be called before the first open. Raises StartError where the installed onnxruntime lacks the provider."""
        if PROVIDERS[self.provider].name not in onnxruntime.get_available_providers():
            raise self._refusal("which the installed onnxruntime does not have")
        if self.provider == "cuda":
            # Finds CUDA where pip has put it; prints what it does not find, which is no output of ours.
            with contextlib.redirect_stdout(sys.stderr):
                onnxruntime.preload_dlls()

    def open(self, network: bytes) -> onnxruntime.InferenceSession:
        """A session of an ONNX file, run by the provider and by no other in its stead.

        Raises StartError where the provider does not start, and onnxruntime's own errors where the CPU's does not.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors only
        provider = PROVIDERS[self.provider].name
        try:
            # Without fallback a provider that fails says so; else onnxruntime goes on with the CPU's, here and later.
            session = onnxruntime.InferenceSession(
                network, options, providers=[(provider, self._provider_options())], enable_fallback=0
            )
        except Exception as error:
            if self.provider == "cpu":
                raise
            raise self._refusal(f"which does not start: {' '.join(str(error).split())}") from error
        # A library that is missing is no failure to onnxruntime, only a line on stderr: the session is the CPU's.
        if provider not in session.get_providers():
            raise self._refusal("which does not start; onnxruntime's lines above this one tell what is missing")
        return session

    def _provider_options(self) -> dict[str, str]:
        match self.provider:
            case "cuda":
                # By default it tries out every algorithm at each new number of faces to look closer at, and rounds
                # the factors of float32's products to ten bits.
                return {"cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0"}
            case "coreml":
                return {"ModelFormat": "MLProgram"}  # the older default knows fewer operators
            case "openvino":
                # It has threads of its own, in streams that run side by side; by default one stream with all cores.
                streams, threads = str(self.runs), str(self.runs * self.threads)
                return {"device_type": "CPU", "num_streams": streams, "num_of_threads": threads}
        return {}

    def _refusal(self, why: str) -> StartError:
        return StartError(
            f"MFN_EXECUTION_PROVIDER asks for {self.provider}, {why} (onnxruntime {onnxruntime.__version__} "
            f"has {', '.join(onnxruntime.get_available_providers())}). "
            f"{PROVIDERS[self.provider].needs}, or set MFN_EXECUTION_PROVIDER to cpu."
        )
