"""Files that the model is not given, and why. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from bot.errors import FileTooLarge, SlackError, SlackRefused
from bot.words import Phrase


class Reason(Enum):
    """Why a file was left out, as the reader is told it."""

    TOO_LARGE = Phrase.FILES_TOO_LARGE
    TOO_MUCH = Phrase.FILES_TOO_MUCH
    UNKNOWN_KIND = Phrase.FILES_OF_UNKNOWN_KIND
    EMPTY = Phrase.FILES_EMPTY
    GONE = Phrase.FILES_GONE
    OUTSIDE = Phrase.FILES_OUTSIDE_SLACK
    NOT_ALLOWED = Phrase.FILES_NOT_ALLOWED
    UNAVAILABLE = Phrase.FILES_UNAVAILABLE
    BUSY = Phrase.FILES_BUSY


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file by its name, and why it was left out."""

    name: str
    reason: Reason


_GONE_CODES = frozenset({"file_not_found", "file_deleted", "http_404", "http_410"})
_ACCESS_CODES = frozenset({"login_page", "redirect", "http_401", "http_403", "missing_scope"})


def reason_of(error: SlackError | TimeoutError) -> Reason:
    """Why a file could not be fetched."""
    if isinstance(error, FileTooLarge):
        return Reason.TOO_LARGE
    if not isinstance(error, SlackRefused):
        return Reason.UNAVAILABLE
    if error.code == "untrusted_host":
        return Reason.OUTSIDE
    if error.code in _GONE_CODES:
        return Reason.GONE
    return Reason.NOT_ALLOWED if error.code in _ACCESS_CODES else Reason.UNAVAILABLE
