"""The variables about the tools that the model may call."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from bot.settings.groups import SettingsGroup, split_at_commas

ToolName = Literal["now", "calculate", "fetch_page", "search_thread"]


class ToolSettings(SettingsGroup):
    """Tools"""

    names: Annotated[tuple[ToolName, ...], NoDecode] = Field(
        ("now", "calculate"),
        validation_alias="TOOLS",
        description=(
            "Tools that the model may call, separated by commas: now, calculate, fetch_page, "
            "search_thread; or none"
        ),
    )
    hosted: Annotated[tuple[dict[str, Any], ...], NoDecode] = Field(
        (),
        validation_alias="HOSTED_TOOLS",
        description='Tools of the model\'s server as a JSON list, e.g. `[{"type":"web_search"}]`',
    )
    rounds: int = Field(
        5,
        validation_alias="MAX_TOOL_ROUNDS",
        ge=0,
        le=50,
        description="How often in one answer the model may call tools before it must write",
    )

    @field_validator("names", mode="before")
    @classmethod
    def _split_names(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(name for name in split_at_commas(value) if name != "none")

    @field_validator("hosted", mode="before")
    @classmethod
    def _parse_hosted(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            found = json.loads(value)
        except ValueError:
            found = None
        if not isinstance(found, list) or not all(isinstance(tool, dict) for tool in found):
            raise ValueError('must be a JSON list of objects, for example [{"type":"web_search"}]')
        return tuple(found)
