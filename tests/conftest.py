"""What every folder's tests may ask for."""

from __future__ import annotations

import os

from hypothesis import settings

from tests.support.postgres import postgres

__all__ = ["postgres"]

# A deadline for each example measures how busy the machine is, not our code. CI tries the same
# examples every time, so that it fails only for what a change has changed; others are looked for
# wherever developers run the tests.
settings.register_profile("bot", deadline=None, derandomize="CI" in os.environ, print_blob=True)
settings.load_profile("bot")
