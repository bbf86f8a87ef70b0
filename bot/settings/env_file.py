"""Problems with the file `.env` itself, whatever its values are."""

from __future__ import annotations

import io
from pathlib import Path

from dotenv.parser import parse_stream


def env_file_problems(path: Path | None) -> list[str]:
    """A sentence for each malformed line, or one for an unreadable file. A file may be missing."""
    if path is None or not path.exists():
        return []
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return [f"{path} can't be read: make it a file of UTF-8 text that this user may read."]
    return [
        f"Line {binding.original.line} of {path} is no setting: write NAME=value, or # before a "
        "remark."
        for binding in parse_stream(io.StringIO(text))
        if binding.error
    ]
