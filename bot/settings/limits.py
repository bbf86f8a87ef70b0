"""The variables that limit one answer, whatever the model does."""

from __future__ import annotations

from pydantic import Field

from bot.settings.groups import SettingsGroup


class LimitSettings(SettingsGroup):
    """Limits of one answer"""

    seconds: float = Field(
        1800.0,
        validation_alias="MAX_ANSWER_SECONDS",
        ge=1,
        le=86_400,
        description="Longest time of one answer, including tool calls, reconnections and takeovers",
    )
    characters: int = Field(
        200_000,
        validation_alias="MAX_ANSWER_CHARACTERS",
        ge=100,
        le=10_000_000,
        description="Characters of one answer; a longer one is cut off there",
    )
    tool_calls: int = Field(
        25,
        validation_alias="MAX_TOOL_CALLS",
        ge=0,
        le=1000,
        description="Calls of the bot's own tools in one answer",
    )
    tool_characters: int = Field(
        250_000,
        validation_alias="MAX_TOOL_CHARACTERS",
        ge=1000,
        le=10_000_000,
        description="Characters that the bot's own tools may return in one answer, all together",
    )
    events: int = Field(
        1_000_000,
        validation_alias="MAX_ANSWER_EVENTS",
        ge=1000,
        le=100_000_000,
        description="Events of the model's server in one answer",
    )
    output_tokens: int | None = Field(
        None,
        validation_alias="MAX_OUTPUT_TOKENS",
        ge=1,
        description=(
            "Most tokens that the model may write in one response, including reasoning; "
            "not sent if unset, or if the server refuses it"
        ),
    )
