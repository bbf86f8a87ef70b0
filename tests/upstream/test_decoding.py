from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.upstream.chat import ChatDecoder
from bot.upstream.decoding import Wording, whole_characters
from bot.upstream.events import TextDelta


def utf16_units(text: str) -> list[str]:
    """The text cut after every UTF-16 unit, as a careless server cuts it."""
    wide = text.encode("utf-16-le")
    return [wide[at : at + 2].decode("utf-16-le", "surrogatepass") for at in range(0, len(wide), 2)]


@given(st.text())
def test_a_text_cut_between_the_halves_of_its_characters_is_put_together(text: str) -> None:
    words = Wording()
    events = [event for unit in utf16_units(text) for event in words.delta((0, 0), unit)]
    assert words.text() == text
    assert "".join(e.text for e in events if isinstance(e, TextDelta)) == text


def test_a_half_without_another_is_replaced_and_the_rest_kept() -> None:
    assert whole_characters("a\udd26b") == "a\ufffdb"
    assert whole_characters("a\ud83e") == "a\ufffd"


@pytest.mark.parametrize("written", ["🦦", "an otter 🦦 swims"])
def test_a_decoder_reads_escapes_of_half_characters(written: str) -> None:
    decoder = ChatDecoder("m1")
    for unit in utf16_units(written):
        chunk = {"id": "c1", "choices": [{"index": 0, "delta": {"content": unit}}]}
        decoder.feed(json.dumps(chunk).encode())
    assert decoder.wording.text() == written


def test_broken_bytes_beside_a_half_character_do_not_lose_the_event() -> None:
    chunk = b'{"id": "c1", "choices": [{"index": 0, "delta": {"content": "\xff ok \\ud83e"}}]}'
    decoder = ChatDecoder("m1")
    decoder.feed(chunk)
    assert decoder.wording.text() == "\ufffd ok "
