"""The connection breaks after every event, and at every seventh byte, in every possible way.

Whatever the cut, the reader ends up with exactly the text, nothing twice and nothing missing, and
is told once that the connection broke, unless all that matters had come before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import accumulate, cycle
from typing import Any, Literal

import pytest

from bot.upstream.events import Event, Finished, Reconnecting, Restarted
from bot.upstream.session.answer import AnswerSession
from tests.unit.upstream.fake_model_server import CUT_KINDS, Cut, CutKind, FakeModelServer
from tests.unit.upstream.upstream_setup import (
    PROMPT,
    final_event,
    session_context,
    shown_text,
    upstream,
)
from tests.unit.upstream.wire import block, chat_payloads, responses_payloads

Mode = Literal["resumed", "begun anew", "chat"]
MODES: tuple[Mode, ...] = ("resumed", "begun anew", "chat")
SETTINGS: dict[Mode, dict[str, Any]] = {
    "resumed": {"background": "on"},
    "begun anew": {"background": "off"},
    "chat": {"api": "chat"},
}
PIECES = [f"{number} " if number % 9 else "é🦦\n" for number in range(194)]
NEEDLESS = ("item_id", "content_index", "id", "model")


def slim(payloads: Iterable[dict[str, Any]], *, numbers: bool) -> list[bytes]:
    """Return blocks with nothing in them that can be spared: there are thousands of cuts."""
    blocks = []
    for number, payload in enumerate(payloads):
        needed = {key: value for key, value in payload.items() if key not in NEEDLESS}
        blocks.append(block(needed | ({"sequence_number": number} if numbers else {})))
    return blocks


def service() -> tuple[FakeModelServer, dict[Mode, list[bytes]]]:
    """Return a service, and what it streams in each mode."""
    made = FakeModelServer(PIECES)
    made.foreground = slim(responses_payloads(PIECES, background=False), numbers=True)
    made.resumable = slim(responses_payloads(PIECES, background=True), numbers=True)
    chat = [*slim(chat_payloads(PIECES), numbers=False), block(b"[DONE]")]
    made.chat = b"".join(chat)
    return made, {"resumed": made.resumable, "begun anew": made.foreground, "chat": chat}


def after_every_event(blocks: list[bytes]) -> list[Cut]:
    """Return each boundary between events with each way to fall."""
    return [Cut(end, how) for end in accumulate(map(len, blocks)) for how in CUT_KINDS]


def at_every_seventh_byte(blocks: list[bytes]) -> list[Cut]:
    """Return every seventh byte, with the ways to fall taken in turn."""
    ways: Iterable[CutKind] = cycle(CUT_KINDS)
    return [Cut(at, how) for at, how in zip(range(0, sum(map(len, blocks)), 7), ways, strict=False)]


@pytest.mark.parametrize("cuts", [after_every_event, at_every_seventh_byte])
@pytest.mark.parametrize("mode", MODES)
async def test_session_loses_and_doubles_nothing_wherever_it_drops(
    mode: Mode,
    cuts: Callable[[list[bytes]], list[Cut]],
) -> None:
    server, blocks = service()
    if mode != "resumed":  # the second attempt need not be as long as the first
        payloads = chat_payloads if mode == "chat" else responses_payloads
        server.uncut_body = b"".join(slim(payloads([server.text]), numbers=mode != "chat"))
    around = session_context(server, **SETTINGS[mode])
    for cut in cuts(blocks[mode]):
        server.cuts.append(cut)
        server.requests.clear()
        batches = AnswerSession(PROMPT, around).batches()
        events = [event async for batch in batches for event in batch]
        end = final_event(events)
        assert isinstance(end, Finished), cut
        assert end.text == shown_text(events) == server.text, cut
        assert end.usage.output_tokens == 7 or mode == "chat", cut
        assert_told(mode, server, events, cut)


def assert_told(mode: Mode, server: FakeModelServer, events: list[Event], cut: Cut) -> None:
    """One fall is one announced attempt and one more request, of the right kind."""
    falls = [event for event in events if isinstance(event, Reconnecting)]
    replaced = any(isinstance(event, Restarted) for event in events)
    if not falls:
        assert server.paths == server.paths[:1], cut
        assert not replaced, cut
        return
    assert [(fall.attempt, fall.max_attempts, fall.wait_seconds) for fall in falls] == [
        (1, 5, 0.5)
    ], cut
    first, second = server.paths
    resumes = mode == "resumed" and cut.at >= len(server.resumable[0])
    assert second == ("GET /responses/resp_1" if resumes else first), cut
    assert not (replaced and resumes), cut


@pytest.mark.parametrize("mode", MODES)
async def test_session_resets_the_budget_after_each_of_three_drops(mode: Mode) -> None:
    server, blocks = service()
    total = sum(map(len, blocks[mode]))
    thirds = [Cut(total // 4, "rst"), Cut(total // 2, "eof"), Cut(total * 3 // 4, "chunk")]
    if mode == "resumed":  # each resumed stream is only the rest
        thirds = [Cut(total // 4, how) for how in ("rst", "eof", "chunk")]
    server.cuts.extend(thirds)
    async with upstream(server, **SETTINGS[mode]) as asked:
        events = [event async for event in asked.answer(PROMPT)]
    assert final_event(events).text == shown_text(events) == server.text
    assert [e.attempt for e in events if isinstance(e, Reconnecting)] == [1, 1, 1]


@pytest.mark.parametrize("step", [1, 2, 3, 61])
@pytest.mark.parametrize("mode", MODES)
async def test_session_events_are_independent_of_chunk_sizes(mode: Mode, step: int) -> None:
    server, blocks = service()
    server.cuts.append(Cut(sum(map(len, blocks[mode])) // 2))
    async with upstream(server, step=step, **SETTINGS[mode]) as asked:
        events = [event async for event in asked.answer(PROMPT)]
    assert final_event(events).text == shown_text(events) == server.text
