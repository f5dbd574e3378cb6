"""A structure of arrays whose rows belong together."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np


@dataclass(frozen=True)
class Rows:
    """Base class of dataclasses whose fields are arrays, or Rows themselves, with the same number of rows."""

    def __getitem__(self, index: Any) -> Self:
        """The rows of an index or mask, in its order."""
        return type(self)(*(getattr(self, name)[index] for name in self.__dataclass_fields__))

    def concatenate(self, *others: Self) -> Self:
        """These rows followed by those of the others."""

        def concatenated(name: str) -> Any:
            first, *rest = (getattr(rows, name) for rows in (self, *others))
            return first.concatenate(*rest) if isinstance(first, Rows) else np.concatenate([first, *rest])

        return type(self)(*map(concatenated, self.__dataclass_fields__))
