"""How the networks are run: precision, onnxruntime's execution provider, threads."""

import contextlib
import sys
from dataclasses import dataclass
from typing import Final

import onnxruntime

from service.errors import StartError


@dataclass(frozen=True)
class Provider:
    """An execution provider: its name in onnxruntime, and what to do where onnxruntime does not have it (needs)."""

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
    """How networks are run.

    precision: one of settings.PRECISIONS. provider: one of PROVIDERS. threads: CPU threads within one run of a network.
    runs: number of runs at the same time.
    """

    precision: str = "int8"
    provider: str = "cpu"
    threads: int = 1
    runs: int = 1

    @property
    def form(self) -> str:
        """The name of the networks' form in the manifest, such as `int8.onnx`."""
        return f"{self.precision}.onnx"

    def prepare(self) -> None:
        """Prepares the provider; call this before the first open.

        Raises StartError where the installed onnxruntime does not have the provider.
        """
        if PROVIDERS[self.provider].name not in onnxruntime.get_available_providers():
            raise self._refusal("which the installed onnxruntime does not have")
        if self.provider == "cuda":
            # Finds CUDA where pip has installed it. It prints what it does not find, which must not go to stdout.
            with contextlib.redirect_stdout(sys.stderr):
                onnxruntime.preload_dlls()

    def open(self, network: bytes) -> onnxruntime.InferenceSession:
        """Opens a session of an ONNX file that runs on the provider, without fallback to another one.

        Raises StartError where the provider does not start, and onnxruntime's own errors where the CPU's does not.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        # The arena would keep the most that each network ever needed. Without it a run takes as long.
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 3  # errors only
        provider = PROVIDERS[self.provider].name
        try:
            # With fallback, onnxruntime would silently go on with the CPU's provider, here and later.
            session = onnxruntime.InferenceSession(
                network, options, providers=[(provider, self._provider_options())], enable_fallback=0
            )
        except Exception as error:
            if self.provider == "cpu":
                raise
            raise self._refusal(f"which does not start: {' '.join(str(error).split())}") from error
        # Where a library is missing, onnxruntime only writes a line to stderr and uses the CPU's provider.
        if provider not in session.get_providers():
            raise self._refusal("which does not start; onnxruntime's lines above this one tell what is missing")
        session._model_bytes = None  # onnxruntime's copy of the file, kept only for the fallback, which is off
        return session

    def _provider_options(self) -> dict[str, str]:
        match self.provider:
            case "cuda":
                # By default it tries every algorithm at each new batch size, that is, number of faces to refine, and
                # rounds the factors of float32 products to ten bits (TF32).
                return {"cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0"}
            case "coreml":
                return {"ModelFormat": "MLProgram"}  # the older default knows fewer operators
            case "openvino":
                # OpenVINO has its own threads, in streams that run in parallel; by default one stream with all cores.
                streams, threads = str(self.runs), str(self.runs * self.threads)
                return {"device_type": "CPU", "num_streams": streams, "num_of_threads": threads}
        return {}

    def _refusal(self, why: str) -> StartError:
        return StartError(
            f"MFN_EXECUTION_PROVIDER asks for {self.provider}, {why} (onnxruntime {onnxruntime.__version__} "
            f"has {', '.join(onnxruntime.get_available_providers())}). "
            f"{PROVIDERS[self.provider].needs}, or set MFN_EXECUTION_PROVIDER to cpu."
        )
