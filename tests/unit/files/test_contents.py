"""What a file is, by its content: pictures, text in several encodings, anything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.files.contents import read_content
from bot.files.pictures import count_gif_pictures, picture_type
from bot.files.texts import decode_text
from tests.support.pictures import gif, png

CHINESE = "水獭住在河边，吃鱼和贝类。它们很聪明，也很可爱。"
WESTERN = "Der Otter frißt gern Fische; il est protégé en été, señor."
PLENTY = 10_000


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (png(), "image/png"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "image/jpeg"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "image/webp"),
        (gif(), "image/gif"),
        (gif(2), ""),
        (b"GIF89a", ""),
        (b"RIFF\x24\0\0\0WAVEfmt ", ""),
        (b"%PDF-1.7\n", ""),
        (b"", ""),
    ],
)
def test_picture_type_is_that_of_the_first_bytes(content: bytes, kind: str) -> None:
    assert picture_type(content) == kind


@given(st.integers(0, 400), st.binary(max_size=40))
def test_gif_that_is_cut_or_broken_is_counted_without_an_error(end: int, rest: bytes) -> None:
    assert 0 <= count_gif_pictures(gif(2)[:end] + rest) <= 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_chinese_text_is_decoded(encoding: str) -> None:
    assert decode_text(CHINESE.encode(encoding), PLENTY) == CHINESE


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_western_text_is_decoded(encoding: str) -> None:
    assert decode_text(WESTERN.encode(encoding), PLENTY) == WESTERN


@given(st.text(st.characters(exclude_categories=["C"])), st.integers(0, 50))
def test_clipped_text_is_the_beginning_of_the_text(text: str, most: int) -> None:
    found = decode_text(text.encode(), most)
    assert found is not None
    assert text.removeprefix("\ufeff").startswith(found)


@pytest.mark.parametrize(
    "content", [b"AC1032\0\0\0", b"\x7fELF\x02\x01\x01" + bytes(9), bytes(range(1, 32)) * 9]
)
def test_binary_data_is_no_text(content: bytes) -> None:
    assert decode_text(content, PLENTY) is None
    assert read_content("a.bin", content, PLENTY) is None


def test_name_of_a_file_does_not_decide_what_it_is() -> None:
    picture = read_content("notes.txt", png(), PLENTY)
    assert picture is not None
    assert (picture.mimetype, picture.data, picture.text) == ("image/png", png(), "")
    text = read_content("chart.png", b"Buy otters.", PLENTY)
    assert text is not None
    assert (text.mimetype, text.data, text.text) == ("text/plain", b"", "Buy otters.")


def test_text_that_is_too_long_says_that_it_is_clipped() -> None:
    clipped, whole = (read_content("a", b"Buy otters.", most) for most in (3, 11))
    assert clipped is not None
    assert whole is not None
    assert (clipped.text, clipped.is_clipped, whole.is_clipped) == ("Buy", True, False)
