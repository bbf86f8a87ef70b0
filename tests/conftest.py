"""What every folder's tests may ask for."""

from __future__ import annotations

from hypothesis import settings

from tests.postgres import postgres

__all__ = ["postgres"]

# A deadline for each example measures how busy the machine is, not our code.
settings.register_profile("bot", deadline=None)
settings.load_profile("bot")
