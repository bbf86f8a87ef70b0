"""What the model is given of a file, by its content. Pure."""

from __future__ import annotations

from bot.files.pictures import picture_type
from bot.files.texts import decode_text
from bot.values import Attachment


def read_content(name: str, content: bytes, max_text_bytes: int) -> Attachment | None:
    """A picture whole, and at most `max_text_bytes` of a text; None for any other kind."""
    if mimetype := picture_type(content):
        return Attachment(name, mimetype, data=content)
    text = decode_text(content, max_text_bytes)
    if text is None:
        return None
    is_clipped = len(content) > max_text_bytes
    return Attachment(name, "text/plain", text=text, is_clipped=is_clipped)
