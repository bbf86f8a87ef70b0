"""What every folder's tests may ask for."""

from __future__ import annotations

from tests.postgres import postgres

__all__ = ["postgres"]
