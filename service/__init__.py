import os

# onnxruntime reports to its maker, and keeps an identifier in the home directory, unless told before it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
