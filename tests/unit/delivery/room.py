"""The names of `delivery_setup` for the files that still import them from here."""

from __future__ import annotations

from tests.unit.delivery.delivery_setup import THINKING, done, question, words, writing
from tests.unit.delivery.delivery_setup import open_delivery as delivery

__all__ = ["THINKING", "delivery", "done", "question", "words", "writing"]
