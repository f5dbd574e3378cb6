"""Exports the networks to ONNX and TFLite, quantized and checked."""
