"""Measures networks, or any other function with the same output, on annotated photos: `python -m training.evaluation`.

The measures are pure functions over arrays: `detection.detection_metrics`, `landmarks.landmark_metrics`,
`expression.expression_metrics`, `eyes.eye_metrics`, `poses.pose_metrics`, `skin.skin_metrics`, `invariance.change`.
Nothing here needs PyTorch but what makes rendered and turned faces (datasets/rendered.py, turned.py), once.
"""
