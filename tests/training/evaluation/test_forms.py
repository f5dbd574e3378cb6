"""Each form is held against the first at the same input size."""

from training.evaluation.forms import Figures, Served, as_table, base_of


def figures(ap50: float) -> Figures:
    return Figures(ap50, 40.0, (3.0, 2.5), (0.05, 0.04), (4.3, 1.0))


MEASURED = {
    Served("float32.onnx", 288, True): figures(87.0),
    Served("float32.onnx", 416, False): figures(90.0),
    Served("int8.onnx", 288, True): figures(86.5),
    Served("int8.onnx", 416, False): figures(89.75),
}


def test_a_form_is_named_with_its_size_where_that_is_not_the_usual_one() -> None:
    assert [str(served) for served in MEASURED] == [
        "float32.onnx", "float32.onnx at 416", "int8.onnx", "int8.onnx at 416",
    ]  # fmt: skip


def test_the_loss_is_to_the_first_form_at_the_same_size() -> None:
    assert [base_of(served, MEASURED).ap50 for served in MEASURED] == [87.0, 90.0, 87.0, 90.0]
    lines = [line for line in as_table(MEASURED).splitlines() if ".onnx" in line]
    assert [line.split("|")[-2].strip() for line in lines] == [
        "", "", "+0.50, +0.00, +0.000", "+0.25, +0.00, +0.000",
    ]  # fmt: skip
