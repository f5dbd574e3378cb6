"""The options of POST /retarget where they stand in a JSON body, not in the query."""

from pydantic import BaseModel, ConfigDict, Field

from service import errors
from service.errors import RequestError
from service.inference.models import Models
from service.inference.options import RetargetOptions
from service.server import schema
from service.settings import Settings


class BodyOptions(BaseModel):
    """The parameters of POST /retarget, by the same names."""

    model_config = ConfigDict(extra="forbid")
    min_score: float | None = Field(default=None, description="least score; the server's default unless given")
    max_faces: int | None = Field(default=None, description="most faces; the server's default unless given")
    refine: bool = False
    tiles: int = 1
    input_size: int | None = Field(
        default=None, description="one of those that GET /model tells; the smallest unless given"
    )
    include: str = Field(
        default="", description="what to add to each face: landmarks, blendshapes, or both with a comma"
    )
    exclude: str = Field(default="", description="what to leave out of each face: identity")

    @property
    def included(self) -> tuple[str, ...]:
        """What to include, of schema.INCLUDES. Raises RequestError BAD_PARAMETER."""
        return parse_names("include", self.include, schema.INCLUDES)

    @property
    def excluded(self) -> tuple[str, ...]:
        """What to exclude, of schema.EXCLUDES. Raises RequestError BAD_PARAMETER."""
        return parse_names("exclude", self.exclude, schema.EXCLUDES)

    def options(self, settings: Settings, models: Models) -> RetargetOptions:
        """The options, with defaults of the settings. Raises RequestError BAD_PARAMETER."""
        return RetargetOptions(
            settings.default_min_score if self.min_score is None else self.min_score,
            settings.default_max_faces if self.max_faces is None else self.max_faces,
            self.refine,
            self.tiles,
            models.input_size(self.input_size),
        )


def parse_names(parameter: str, text: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """The names in a parameter, with commas between. Raises RequestError BAD_PARAMETER for one that is not known."""
    names = tuple(name for name in text.split(",") if name)
    if unknown := [name for name in names if name not in known]:
        several = ", or both with a comma between" if len(known) > 1 else ""
        raise RequestError(
            errors.BAD_PARAMETER,
            f"The parameter {parameter} has {unknown[0][:80]!r}; expected {' or '.join(known)}{several}.",
        )
    return names
