"""Tables that read in a terminal and render as Markdown."""

import math
from collections.abc import Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table, its columns as wide as they need to be, so that it reads in a terminal too."""
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |" for row in cells]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def number(value: float, digits: int = 2) -> str:
    """A number with so many digits; a dash where it is not finite."""
    return f"{value:.{digits}f}" if math.isfinite(value) else "-"
