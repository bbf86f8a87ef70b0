"""Fetches the files of questions from Slack, within limits.

The bytes of pictures are held until the model has answered: a broken request is sent again. A
request holds them a second time, in Base64.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.errors import SlackError, SlackRateLimited, SlackUnreachable
from bot.files.contents import read_content
from bot.files.held_bytes import HeldBytes
from bot.files.skipped import Reason, Skipped, reason_of
from bot.observe import Metrics
from bot.render.incoming import question_file
from bot.slack import Slack
from bot.values import Attachment, File

log = logging.getLogger(__name__)

MAX_FILES = 10
"""Files of one question; Slack attaches at most ten to a message."""

MAX_QUESTION_BYTES = 25 * 2**20
"""Bytes of the files of one question together. Ours: models' servers take requests of 20 to 50 MB,
and Base64 adds a third."""

MAX_HELD_BYTES = 2 * MAX_QUESTION_BYTES
"""Bytes of files that the process holds for all questions. Ours: with the requests made of them
they take about 180 MB."""

MAX_SECONDS = 30.0
"""Seconds for all files of one question; the answer waits for them. Ours."""

SCAN_POLL_SECONDS = (1.0, 2.0, 3.0)
"""Pauses before a file is asked for again that Slack is still scanning (docs/slack.md#files)."""

RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class FileLimits:
    """Limits of the files of one question."""

    file_bytes: int
    text_bytes: int
    question_bytes: int = MAX_QUESTION_BYTES
    files: int = MAX_FILES
    seconds: float = MAX_SECONDS


class FileReader:
    """Reads the files of all questions of a process."""

    def __init__(
        self, slack: Slack, limits: FileLimits, metrics: Metrics, held: HeldBytes | None = None
    ) -> None:
        self.slack = slack
        self.limits = limits
        self.metrics = metrics
        self.held = held or HeldBytes(MAX_HELD_BYTES)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[QuestionFiles]:
        """The files of one question; what was read may be used until the end of the block."""
        files = QuestionFiles(self)
        try:
            yield files
        finally:
            files.release()


class QuestionFiles:
    """The files of one question. `skipped` are those that the model is not given."""

    def __init__(self, reader: FileReader) -> None:
        self.attachments: tuple[Attachment, ...] = ()
        self.skipped: list[Skipped] = []
        self._slack = reader.slack
        self._limits = reader.limits
        self._metrics = reader.metrics
        self._held = reader.held
        self._held_bytes = 0
        self._deadline = 0.0

    async def read(self, files: Sequence[File]) -> tuple[Attachment, ...]:
        """Read these files, in their order. Never raises: what fails is in `skipped`."""
        if not files:
            return ()
        self.attachments = await self._read(files)
        self._count()
        return self.attachments

    async def read_earlier(self, files: Sequence[File]) -> tuple[Attachment, ...]:
        """Read pictures of an earlier message, after the files of the question and within the same
        limits. What fails is left out: the message has their names."""
        if not files:
            return ()
        reported = list(self.skipped)
        read = await self._read(files)
        self.skipped = reported
        return tuple(one for one in read if one.data)

    async def _read(self, files: Sequence[File]) -> tuple[Attachment, ...]:
        self._deadline = asyncio.get_running_loop().time() + self._limits.seconds
        located = await asyncio.gather(*map(self._locate, files[: self._limits.files]))
        wanted = self._within_limits([*located, *_too_many(files[self._limits.files :])])
        return self._convert(await self._fetch_all(wanted))

    def release(self) -> None:
        """Give back the bytes that are held."""
        self._release(self._held_bytes)

    def _release(self, count: int) -> None:
        self._held.release(count)
        self._held_bytes -= count

    async def _locate(self, file: File) -> File | Skipped:
        """The file with its address and size. Slack is asked for them if its message lacks them:
        files of other organisations, and files that are still being scanned."""
        try:
            async with asyncio.timeout_at(self._deadline):
                for pause in SCAN_POLL_SECONDS:
                    if file.url and file.mimetype:
                        return file
                    file = question_file(await self._slack.files.info(file.id)) or file
                    if not (file.url and file.mimetype):
                        await asyncio.sleep(pause)
        except (SlackError, TimeoutError) as error:
            return self._failed(file, error)
        return file if file.url else Skipped(file.name, Reason.UNAVAILABLE)

    def _within_limits(self, located: Sequence[File | Skipped]) -> list[File]:
        """The files that are small enough, also together. A file of unknown size counts as the
        largest that may be."""
        wanted: list[File] = []
        left = self._limits.question_bytes - self._held_bytes
        for file in located:
            if isinstance(file, Skipped):
                self.skipped.append(file)
            elif not self._slack.files.may_fetch(file.url):
                self.skipped.append(Skipped(file.name, Reason.OUTSIDE))
            elif file.size > self._limits.file_bytes:
                self.skipped.append(Skipped(file.name, Reason.TOO_LARGE))
            elif self._bytes_for(file) > left:
                self.skipped.append(Skipped(file.name, Reason.TOO_MUCH))
            else:
                left -= self._bytes_for(file)
                wanted.append(file)
        return wanted

    def _bytes_for(self, file: File) -> int:
        return file.size or self._limits.file_bytes

    async def _fetch_all(self, files: Sequence[File]) -> list[tuple[File, bytes]]:
        """The contents of the files that could be fetched, once there is room for all of them."""
        total = sum(map(self._bytes_for, files))
        try:
            async with asyncio.timeout_at(self._deadline):
                await self._held.acquire(total)
        except TimeoutError:
            log.warning("files were left out: too many were being read at the same time")
            self.skipped += [Skipped(file.name, Reason.BUSY) for file in files]
            return []
        self._held_bytes += total
        fetched = await asyncio.gather(*map(self._fetch, files))
        self.skipped += [one for one in fetched if isinstance(one, Skipped)]
        pairs = list(zip(files, fetched, strict=True))
        self._release(sum(self._bytes_for(file) for file, one in pairs if isinstance(one, Skipped)))
        return [(file, content) for file, content in pairs if isinstance(content, bytes)]

    async def _fetch(self, file: File) -> bytes | Skipped:
        """The content of a file; it is asked for a second time if Slack fails or is busy."""
        try:
            async with asyncio.timeout_at(self._deadline):
                try:
                    return await self._download(file)
                except SlackRateLimited as error:
                    await asyncio.sleep(error.retry_after)
                except SlackUnreachable:
                    await asyncio.sleep(RETRY_SECONDS)
                return await self._download(file)
        except (SlackError, TimeoutError) as error:
            return self._failed(file, error)

    async def _download(self, file: File) -> bytes:
        return await self._slack.files.download(file.url, self._bytes_for(file), file.size)

    def _failed(self, file: File, error: SlackError | TimeoutError) -> Skipped:
        reason = reason_of(error)
        if reason is Reason.NOT_ALLOWED:
            log.warning(
                "Slack does not let the bot read a file (%s): add the scope files:read to the app "
                "and install it again",
                error,
            )
        else:
            log.info("a file could not be read: %s", error or type(error).__name__)
        return Skipped(file.name, reason)

    def _convert(self, contents: Sequence[tuple[File, bytes]]) -> tuple[Attachment, ...]:
        """What the model is given. Only the bytes of pictures are held any longer."""
        attachments: list[Attachment] = []
        text_bytes = self._limits.text_bytes
        for file, content in contents:
            found = read_content(file.name, content, text_bytes) if content else None
            if found:
                attachments.append(found)
                text_bytes -= len(found.text.encode(errors="replace"))
            else:
                reason = Reason.UNKNOWN_KIND if content else Reason.EMPTY
                self.skipped.append(Skipped(file.name, reason))
        unused = sum(self._bytes_for(file) for file, _ in contents)
        unused -= sum(len(one.data) for one in attachments)
        self._release(unused)
        return tuple(attachments)

    def _count(self) -> None:
        if self.attachments:
            self._metrics.files.labels("read").inc(len(self.attachments))
        for one in self.skipped:
            self._metrics.files.labels(one.reason.name.lower()).inc()


def _too_many(files: Sequence[File]) -> list[Skipped]:
    return [Skipped(file.name, Reason.TOO_MUCH) for file in files]
