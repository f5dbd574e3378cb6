"""What the manifest takes over from a measurement."""

import json
from pathlib import Path

from training.evaluation.landmarks import LandmarkMetrics
from training.evaluation.measure import GroupedLandmarks
from training.evaluation.report import put_into_manifest
from training.evaluation.results import Results


def test_the_manifest_takes_the_figures_and_keeps_the_rest(tmp_path: Path) -> None:
    metrics = LandmarkMetrics(10, 1, 3.14159, 2.5, 0.5, 1, (0.0, 0.0))
    results = Results(landmarks={("photos", "MFN"): GroupedLandmarks(metrics, None, {})})
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"name": "mfn", "accuracy": {"old": 1}}))
    put_into_manifest(manifest, results)
    assert json.loads(manifest.read_text()) == {"name": "mfn", "accuracy": {"photos": {"MFN": {"NME": 3.142}}}}
