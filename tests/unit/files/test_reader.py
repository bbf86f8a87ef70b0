"""The files of one question from a local Slack: limits, order, retries, and the bytes held."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bot.files.held_bytes import HeldBytes
from bot.files.reader import MAX_HELD_BYTES, MAX_QUESTION_BYTES, FileLimits, FileReader
from bot.files.skipped import Reason, Skipped
from bot.observe import Metrics
from bot.render.incoming import question_file
from bot.slack import Slack, http_session
from bot.values import File
from tests.support.pictures import png
from tests.unit.playground import live


@dataclass
class Setup:
    """A reader at a local Slack."""

    slack: live.LiveSlack
    reader: FileReader

    def upload(self, name: str, content: bytes, **options: Any) -> File:
        file = question_file(self.slack.workspace.upload(name, content, **options))
        assert file
        return file


@asynccontextmanager
async def setup(**limits: Any) -> AsyncIterator[Setup]:
    usual: dict[str, Any] = {"file_bytes": 1000, "text_bytes": 1000, "question_bytes": 2500}
    async with live.slack() as slack, http_session() as session:
        client = Slack(slack.config.bot_token, base_url=slack.api_url, session=session)
        held = HeldBytes(limits.pop("held", 5000))
        yield Setup(slack, FileReader(client, FileLimits(**usual | limits), Metrics(), held))


async def test_files_come_in_their_order_whatever_they_are() -> None:
    async with setup() as here, here.reader.reading() as files:
        asked = [here.upload("a.txt", b"A"), here.upload("b.png", png()), here.upload("c", b"C")]
        read = await files.read(asked)
        assert [(one.name, one.text, bool(one.data)) for one in read] == [
            ("a.txt", "A", False),
            ("b.png", "", True),
            ("c", "C", False),
        ]
        assert files.skipped == []


async def test_bytes_of_pictures_are_held_to_the_end_and_those_of_text_are_not() -> None:
    async with setup() as here:
        async with here.reader.reading() as files:
            await files.read([here.upload("a.txt", b"A" * 500), here.upload("b.png", png())])
            assert here.reader.held.free == 5000 - len(png())
        assert here.reader.held.free == 5000


async def test_files_beyond_the_limits_of_a_question_are_left_out() -> None:
    async with setup(files=3) as here, here.reader.reading() as files:
        names = ["a", "b", "c", "d"]
        read = await files.read([here.upload(name, b"x" * 900) for name in names])
        assert [one.name for one in read] == ["a", "b"]
        assert files.skipped == [Skipped(name, Reason.TOO_MUCH) for name in ("c", "d")]


async def test_text_of_all_files_together_is_clipped() -> None:
    async with setup(text_bytes=8) as here, here.reader.reading() as files:
        read = await files.read([here.upload("a", b"12345"), here.upload("b", b"67890")])
        assert [(one.text, one.is_clipped) for one in read] == [("12345", False), ("678", True)]


async def test_file_whose_size_was_understated_is_not_read_beyond_it() -> None:
    async with setup() as here, here.reader.reading() as files:
        file = here.upload("a", b"x" * 900)
        understated = File(file.id, file.name, file.mimetype, 10, file.url)
        assert await files.read([understated]) == ()
        assert files.skipped == [Skipped("a", Reason.TOO_LARGE)]


async def test_question_waits_for_bytes_and_gives_up_in_time() -> None:
    async with setup(held=1000, seconds=0.05) as here:
        await here.reader.held.acquire(900)
        async with here.reader.reading() as files:
            assert await files.read([here.upload("a", b"x" * 200)]) == ()
            assert files.skipped == [Skipped("a", Reason.BUSY)]
        assert here.reader.held.free == 100
        waiting = here.reader.held
        async with here.reader.reading() as files:
            reading = asyncio.create_task(files.read([here.upload("b", b"x" * 50)]))
            assert [one.name for one in await reading] == ["b"]
        assert waiting.free == 100


async def test_file_that_stays_without_an_address_is_unavailable() -> None:
    async with setup(seconds=0.05) as here, here.reader.reading() as files:
        scanned = here.upload("a.txt", b"A", scans=99)
        assert await files.read([scanned]) == ()
        assert files.skipped == [Skipped("a.txt", Reason.UNAVAILABLE)]


async def test_earlier_pictures_share_the_limits_and_only_pictures_are_kept() -> None:
    async with setup(question_bytes=2 * len(png())) as here:
        async with here.reader.reading() as files:
            await files.read([here.upload("a.png", png())])
            earlier = ["b.png", "c.png"]
            assert await files.read_earlier([here.upload("a.txt", b"A")]) == ()
            read = await files.read_earlier([here.upload(name, png()) for name in earlier])
            assert [one.name for one in read] == ["b.png"]
            assert files.skipped == []
            assert [one.name for one in files.attachments] == ["a.png"]
            assert here.reader.held.free == 5000 - 2 * len(png())
        assert here.reader.held.free == 5000


async def test_unknown_file_is_gone() -> None:
    async with setup() as here, here.reader.reading() as files:
        assert await files.read([File("F404", "a.txt", "", 0, "")]) == ()
        assert files.skipped == [Skipped("a.txt", Reason.GONE)]


def test_process_holds_the_files_of_at_least_one_question() -> None:
    assert MAX_HELD_BYTES >= MAX_QUESTION_BYTES
