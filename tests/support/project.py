"""Where the project is, and the recorded data beside it."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RECORDED = ROOT.parent / "shared" / "data"
"""Streams, errors, payloads and Markdown that were recorded; they are no part of the project."""
