"""Measures networks, or any other function with the same output, on annotated photos: `python -m training.evaluation`.

The measures are pure functions over arrays: `detection.detection_metrics`, `landmarks.landmark_metrics`,
`expression.expression_metrics`, `invariance.change`. Nothing here needs PyTorch.
"""
