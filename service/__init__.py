import os

__version__ = "0.7.0"  # the code's; models have their own, in models/manifest.json

# onnxruntime reports to its maker, and keeps an identifier in the home directory, unless told before it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
