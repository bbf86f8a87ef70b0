"""The variables that say how a model reasons before it answers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bot.settings.groups import SettingsGroup


class ReasoningSettings(SettingsGroup):
    """Reasoning"""

    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = Field(
        None,
        validation_alias="REASONING_EFFORT",
        description=(
            "How much `UPSTREAM_MODEL` reasons before it answers; unset, its server decides. "
            "Not sent to a model that refuses it"
        ),
    )
    summary: Literal["auto", "concise", "detailed", "off"] = Field(
        "auto",
        validation_alias="REASONING_SUMMARY",
        description=(
            "Ask the model for a summary of its reasoning, and show it while it thinks; `off`: "
            "neither. Not sent to a model that refuses it"
        ),
    )
