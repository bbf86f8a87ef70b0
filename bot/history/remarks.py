"""Sentences for the reader and the model about messages that were left out. Pure."""

from __future__ import annotations

UNREAD_THREAD = "The earlier messages of this thread could not be read"
UNREAD_DM = "Our earlier messages could not be read"
UNREAD_NEWEST = "The newest messages of this thread could not be read in time"


def left_out_remark(first: int, newest: int, missing: int, *, is_estimate: bool = False) -> str:
    """A remark for the reader; "" if no message is missing.

    `first` is 1 if the first message of the thread was read, `newest` the number of newest
    messages that were read, `missing` the number of messages that were not.
    """
    if missing <= 0:
        return ""
    total = f"{'about ' if is_estimate else ''}{first + newest + missing:,} messages of this thread"
    count = f"about {missing:,}" if is_estimate else f"{missing:,}"
    were = f"{count} {'was' if missing == 1 else 'were'} left out"
    match first, newest:
        case 0, 0:
            verb = "was" if missing == 1 else "were"
            return f"The {_messages(missing)} before this question did not fit and {verb} left out"
        case 0, _:
            return f"The newest {newest:,} of {total} were read; {were} before them"
        case _, 0:
            return f"Only the first of {total} was read; {were} after it"
    return f"The first message and the newest {newest:,} of {total} were read; {were} between"


def gap_marker(missing: int, *, is_estimate: bool = False) -> str:
    """A line that tells the model where messages are missing."""
    are = "is" if missing == 1 else "are"
    count = f"About {_messages(missing)}" if is_estimate else _messages(missing)
    return f"[{count} of this thread {are} left out here]"


def _messages(count: int) -> str:
    return f"{count:,} messages" if count != 1 else "1 message"
