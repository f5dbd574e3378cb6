import pytest

pytest.importorskip("onnx")

from bench.crowds import crowds
from bench.frame import pipeline_cases
from service.inference.execution import Execution
from service.inference.models import Models
from service.inference.pipeline import Pipeline
from service.settings import Settings


def test_each_case_looks_at_its_picture() -> None:
    models = Models.load(Settings().models_dir, Execution("int8"))
    crowd_of = {number: crowd for number, crowd in crowds().items() if number <= 5}
    cases = pipeline_cases({"int8": Pipeline(models)}, crowd_of)
    for number, crowd in crowd_of.items():
        seen = cases["frame", "int8", str(number)]().faces
        closer, timing = cases["refine", "int8", str(number)]()
        assert len(seen) == len(closer) == len(crowd.boxes)
        assert timing.refine > 0
