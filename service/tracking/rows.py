"""Arrays that belong together row by row, as one value."""

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np


@dataclass(frozen=True)
class Rows:
    """A base for dataclasses whose fields are arrays, or Rows again, of the same number of rows."""

    def __getitem__(self, index: Any) -> Self:
        """The rows of an index or mask, in its order."""
        return type(self)(*(getattr(self, field.name)[index] for field in fields(self)))

    def joined(self, *others: Self) -> Self:
        """These rows, then those of the others."""

        def together(name: str) -> Any:
            first, *rest = (getattr(rows, name) for rows in (self, *others))
            return first.joined(*rest) if isinstance(first, Rows) else np.concatenate([first, *rest])

        return type(self)(*(together(field.name) for field in fields(self)))
