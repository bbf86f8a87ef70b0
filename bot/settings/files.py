"""The variables about files that people attach to a question."""

from __future__ import annotations

from pydantic import Field

from bot.settings.groups import SettingsGroup


class FileSettings(SettingsGroup):
    """Files"""

    max_megabytes: int = Field(
        10,
        validation_alias="FILE_MAX_MB",
        ge=0,
        le=25,
        description=(
            "Largest file of a question that is read, in megabytes; all of its files together may "
            "have 25. 0: no files are read"
        ),
    )
    text_tokens: int = Field(
        16_000,
        validation_alias="FILE_TOKENS",
        ge=100,
        le=2_000_000,
        description=(
            "How much text of a question's files the model sees; this is not part of "
            "`HISTORY_TOKENS`, but pictures are"
        ),
    )
