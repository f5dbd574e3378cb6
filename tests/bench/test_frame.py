import pytest

pytest.importorskip("onnx")

from bench.frame import pipeline_cases
from bench.group_pictures import group_pictures
from service.inference.execution import Execution
from service.inference.models import Models
from service.inference.pipeline import Pipeline
from service.settings import Settings


def test_each_case_looks_at_its_picture() -> None:
    models = Models.load(Settings().models_dir, Execution("int8"))
    group_of = {number: group for number, group in group_pictures().items() if number <= 5}
    cases = pipeline_cases({"int8": Pipeline(models)}, group_of)
    for number, group in group_of.items():
        seen = cases["frame", "int8", str(number)]().faces
        closer, timing = cases["refine", "int8", str(number)]()
        assert len(seen) == len(closer) == len(group.boxes)
        assert timing.refine > 0
