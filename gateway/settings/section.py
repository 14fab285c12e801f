"""What every section of the settings shares."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

#: A name stands in URLs, keys and log lines; variables of the environment reach lower-case names only.
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$")]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
