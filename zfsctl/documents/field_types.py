"""The fields of which all documents are made.

A guid is a decimal string, because a uint64 does not survive a JSON number in most languages. Bytes and epoch
seconds are integers.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

STRICT = ConfigDict(strict=True, extra="forbid")
"""For all that is read: no number for a string, no field that this version does not know."""

Guid = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,19})$", description="uint64 as a decimal string")]
Epoch = Annotated[int, Field(description="seconds since 1970-01-01 UTC")]
Seconds = Annotated[int, Field(ge=0, description="seconds")]
Bytes = Annotated[int, Field(ge=0, description="bytes")]
RiskWord = Literal["safe", "reversible", "destructive"]


@with_config(STRICT)
class NamedGuid(TypedDict):
    """A dataset by its name, or a snapshot by the part after the @, and its guid."""

    name: str
    guid: Guid
