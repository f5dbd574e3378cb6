"""The face retargeting service: pictures in, faces with pose and expression coefficients out."""

import os

__version__ = "0.12.0"  # the code's; models have their own, in models/manifest.json

# onnxruntime sends telemetry, and keeps an identifier in the home folder, unless this is set before it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
