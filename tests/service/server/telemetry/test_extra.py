"""The service sends nothing to anybody."""

import os
import subprocess
import sys


def test_onnxruntime_is_told_to_report_nothing_before_it_is_imported() -> None:
    code = "import os, sys, service; print('onnxruntime' in sys.modules, os.environ['ORT_DISABLE_TELEMETRY'])"
    clean = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=clean)
    assert told.stdout == "False 1\n"
