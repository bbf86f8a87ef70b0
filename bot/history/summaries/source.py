"""Reads from Slack the messages that a summary covers, and those that it has to take up."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Sequence

from bot.history.converter import IGNORED_SUBTYPES, MessageConverter, SlackMessage
from bot.history.fitting.gaps import ReadRange, is_aged, is_usable
from bot.history.names import UserNames
from bot.history.summaries.backlog import Backlog
from bot.history.summaries.digest import Fingerprint, extend_digest
from bot.render.incoming import answer_text
from bot.slack import Slack
from bot.slack.threads import MAX_PAGE_MESSAGES, just_after, just_before
from bot.storage.records import ThreadSummary
from bot.values import Question

MAX_MESSAGES = MAX_PAGE_MESSAGES
"""Messages of a thread that are read for one summary, in one call. The next summary goes on after
them."""

MAX_VERIFYING_PAGES = 2
"""Calls at a question in which the covered messages are read again. Of more messages than these
pages hold, a change that Slack does not deliver is noticed when the summary is made anew."""

ReadDirectMessage = Callable[[Question], Awaitable[tuple[Sequence[SlackMessage], ReadRange]]]
"""Reads the messages of a direct message before a question, and says what was read."""


class MessageSource:
    """Reads threads page by page after what their summary covers, and direct messages by `read_dm`.

    No call waits for the limit of such calls, because answers need them more. `now` is the time of
    day in seconds since the epoch.
    """

    def __init__(
        self,
        slack: Slack,
        names: UserNames,
        converter: MessageConverter,
        read_dm: ReadDirectMessage,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._slack = slack
        self._names = names
        self._converter = converter
        self._read_dm = read_dm
        self._now = now

    async def is_unchanged(self, channel: str, thread: str, summary: ThreadSummary) -> bool:
        """Whether the messages that a summary covers say the same as when it was made.

        Raises SlackError. True for more messages than are read for that.
        """
        if summary.message_count > MAX_VERIFYING_PAGES * MAX_PAGE_MESSAGES:
            return True
        oldest, newest = just_before(summary.covered_from), just_after(summary.covered_to)
        if thread:
            found = await self._read_pages(channel, thread, oldest, newest, MAX_VERIFYING_PAGES)
        else:
            limit = MAX_VERIFYING_PAGES * MAX_PAGE_MESSAGES
            found = await self._slack.history(
                channel, oldest=oldest, latest=newest, limit=limit, wait=False
            )
        covered = [one for one in found if summary.covered_from <= str(one["ts"]) < newest]
        return extend_digest("", self._fingerprints(covered, thread)) == summary.digest

    async def read_backlog(self, question: Question, thread: str, stored: ThreadSummary) -> Backlog:
        """The messages before a question that the stored summary of its thread does not cover.

        The summary is begun anew, from all messages that can be read, if it is too old, was erased,
        or belongs to an earlier conversation. Raises SlackError and TimeoutError.
        """
        anew = ThreadSummary(stored.version, begun_at=self._now())
        base = stored if stored.text and not is_aged(stored, self._now()) else anew
        if thread:
            messages = await self._read_pages(
                question.place.channel, thread, base.covered_to, question.ts or "", 1
            )
            is_complete = len(messages) < MAX_MESSAGES
            if question.place.surface == "dm" and (start := self._last_start(messages)):
                messages, base = messages[start:], anew
        else:
            messages, read = await self._read_dm(question)
            base, is_complete = base if is_usable(base, read) else anew, True
        wanted = [
            one
            for one in sorted(messages, key=lambda one: str(one["ts"]))
            if str(one["ts"]) > base.covered_to and self._converter.is_earlier_than(one, question)
        ]
        names = await self._names.display_names(self._converter.user_ids(wanted))
        dated = self._converter.to_dated_messages(wanted, names)
        return Backlog(base, dated, self._fingerprints(wanted, thread), is_complete)

    async def _read_pages(
        self, channel: str, thread: str, after: str, before: str, max_pages: int
    ) -> Sequence[SlackMessage]:
        """The messages of a thread between two ts, both exclusive; the oldest of too many."""
        found: dict[str, SlackMessage] = {}
        for _ in range(max_pages):
            page = await self._slack.thread_page(
                *(channel, thread),
                oldest=after or None,
                latest=before,
                limit=MAX_PAGE_MESSAGES,
                wait=False,
            )
            found |= {str(one["ts"]): one for one in page.messages}
            if not page.has_more or not page.messages:
                break
            after = max(found)
        return [found[ts] for ts in sorted(found)]

    def _last_start(self, messages: Sequence[SlackMessage]) -> int:
        """The position after the last message that starts a new conversation; 0 if none does."""
        starts = self._converter.starts_new_conversation
        return max((n for n, one in enumerate(messages, 1) if starts(one)), default=0)

    def _fingerprints(self, messages: Iterable[SlackMessage], thread: str) -> list[Fingerprint]:
        """What messages say, oldest first. Of a direct message only its top level counts."""
        return [
            Fingerprint(str(one["ts"]), text)
            for one in sorted(messages, key=lambda one: str(one["ts"]))
            if (thread or one.get("thread_ts") in {None, one["ts"]})
            and one.get("subtype") not in IGNORED_SUBTYPES
            and (text := self._text(one))
        ]

    def _text(self, stored: SlackMessage) -> str:
        if self._converter.is_ours(stored):
            return answer_text(stored)
        return self._converter.text_without_mention(stored)
