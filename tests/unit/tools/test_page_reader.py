"""Bytes of any charset and any HTML become text or an error, in bounded time."""

from __future__ import annotations

import asyncio
import codecs
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import ToolError
from bot.tools.web.fetch import WebPage
from bot.tools.web.html_extractor import (
    MAX_CPU_SECONDS,
    MAX_PARAGRAPHS,
    MAX_TEXT_CHARACTERS,
    MAX_TITLE_CHARACTERS,
    extract,
)
from bot.tools.web.page_reader import PageReader, PageText, decode_body

# A quadratic number of comparisons in the parser: minutes of work in two megabytes.
HOSTILE = ("<p " + " ".join(f"a{n}=1" for n in range(200_000)) + ">x").encode()


def page(body: bytes | str, media_type: str = "text/html", charset: str = "") -> WebPage:
    """A page as it came."""
    content = body.encode() if isinstance(body, str) else body
    return WebPage("http://example.com/", media_type, charset, content, True)


SENTENCE = "This sentence is long enough to be taken for a part of what the page is about. "
ARTICLE = f"""<!doctype html><html><head><title> The
 title </title><style>p {{ color: red }}</style></head><body>
<nav><a href="/">Home</a> <a href="/about">About us and everything else</a></nav>
<h1>A heading</h1><p>{SENTENCE * 3}</p><h2>Another &amp; more</h2><p>{SENTENCE * 4}</p>
<ul><li>{SENTENCE}</li></ul><script>alert("never")</script><!-- never -->
<p>{SENTENCE * 3}</p><footer><a href="/legal">Legal notice and cookie settings</a></footer>
</body></html>"""


def test_page_reader_keeps_the_main_text_only() -> None:
    title, body = extract(ARTICLE)

    assert title == "The title"
    assert body.split("\n") == [
        "# A heading",
        "",
        (SENTENCE * 3).strip(),
        "",
        "## Another & more",
        "",
        (SENTENCE * 4).strip(),
        f"- {SENTENCE.strip()}",
        (SENTENCE * 3).strip(),
    ]


def test_page_reader_keeps_a_short_page_without_its_links() -> None:
    links = "<nav><a href=/>Home</a></nav>"
    title, body = extract(f"<title>Example</title>{links}<h1>Hi</h1><p>Short.<p>Very <b>short</b>.")

    assert (title, body) == ("Example", "# Hi\n\nShort.\nVery short.")


def test_page_reader_keeps_a_page_of_links() -> None:
    assert extract("<ul><li><a href=/a>one</a><li><a href=/b>two</a></ul>")[1] == "- one\n- two"


def test_page_reader_reads_languages_without_spaces() -> None:
    text = "これは日本語の文章です。" * 30

    assert extract(f"<nav><a href=/>ホーム</a></nav><p>{text}</p>")[1] == text


@pytest.mark.parametrize(
    "html", ["", " ", "<!-- only -->", "<", "<?php ?>", "<script>x</script>", "</p>"]
)
def test_page_reader_returns_no_text_for_html_without_any(html: str) -> None:
    assert extract(html)[1].strip("<") == ""


def test_page_reader_ignores_an_xml_declaration() -> None:
    html = '<?xml version="1.0" encoding="iso-8859-1"?><html><title>Ü</title><p>hé</p></html>'

    assert extract(html) == ("Ü", "hé")


def test_page_reader_bounds_title_and_text() -> None:
    title, body = extract(f"<title>{'t' * 999}</title>" + f"<p>{SENTENCE}</p>" * 3000)

    assert len(title) == MAX_TITLE_CHARACTERS
    assert len(body) == MAX_TEXT_CHARACTERS


@settings(deadline=None)
@given(st.text("<>/pbdivhtml&;=\"' !-[]\n", max_size=200))
def test_page_reader_accepts_any_text_as_html(text: str) -> None:
    title, body = extract(text)

    assert len(title) + len(body) <= len(text) * 20


async def test_page_reader_reads_html_in_a_separate_process() -> None:
    assert await PageReader().read(page(ARTICLE)) == PageText(*extract(ARTICLE))


async def test_page_reader_leaves_plain_text_unchanged() -> None:
    reader = PageReader()

    assert await reader.read(page("a < b\n", "text/plain")) == PageText("", "a < b")
    assert await reader.read(page("# Hi", "text/markdown")) == PageText("", "# Hi")
    assert await reader.read(page('{"a": 1}', "application/json")) == PageText("", '{"a": 1}')
    assert await reader.read(page("{}", "application/ld+json")) == PageText("", "{}")


@pytest.mark.parametrize(
    ("media_type", "said"),
    {
        "image/png": "The page is not text but image/png.",
        "application/octet-stream": "The page is not text but application/octet-stream.",
        "": "The page is not text but of a kind its server does not tell.",
    }.items(),
)
async def test_page_reader_refuses_what_is_not_text(media_type: str, said: str) -> None:
    with pytest.raises(ToolError) as raised:
        await PageReader().read(page(b"\x89PNG", media_type))

    assert str(raised.value) == said


def readers() -> list[Path]:
    """The processes of ours that read HTML just now, as folders below /proc."""
    if not Path("/proc/self/task").exists():
        pytest.skip("processes can't be listed here")
    children = " ".join(f.read_text() for f in Path("/proc/self/task").glob("*/children"))
    found = [Path("/proc", child) for child in children.split()]
    return [path for path in found if b"html_extractor.py" in (path / "cmdline").read_bytes()]


async def test_page_reader_kills_the_process_of_a_hostile_page() -> None:
    async with asyncio.timeout(MAX_CPU_SECONDS - 1):
        with pytest.raises(ToolError, match="too complicated"):
            await PageReader(timeout_seconds=0.5).read(page(HOSTILE))

    assert readers() == []


async def test_page_reader_process_has_limits_no_secrets_and_ends_with_its_caller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret")
    reading = asyncio.create_task(PageReader().read(page(HOSTILE)))
    async with asyncio.timeout(10):
        while not any(_cpu_limit(process) for process in readers()):  # noqa: ASYNC110  # no event
            await asyncio.sleep(0)
    surroundings = (readers()[0] / "environ").read_bytes()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading

    assert b"xoxb-secret" not in surroundings
    assert readers() == []


def _cpu_limit(process: Path) -> bool:
    """The process has set itself the limit it should."""
    lines = (process / "limits").read_text().splitlines()
    return f"Max cpu time {MAX_CPU_SECONDS} {MAX_CPU_SECONDS} seconds" in (
        " ".join(line.split()) for line in lines
    )


def test_page_reader_reads_the_first_of_very_many_paragraphs() -> None:
    _, body = extract("<li>short" * (MAX_PARAGRAPHS + 500))

    assert len(body.split("\n")) == MAX_PARAGRAPHS


@pytest.mark.parametrize(
    ("body", "charset", "text"),
    {
        "utf-8 by default": ("hé€".encode(), "", "hé€"),
        "windows by default": ("hé€".encode("cp1252"), "", "hé€"),
        "as told": ("привет".encode("koi8-r"), "KOI8-R", "привет"),
        "latin is windows": ("hé€".encode("cp1252"), "iso-8859-1", "hé€"),
        "gbk is gb18030": ("你好€".encode("gb18030"), "gbk", "你好€"),
        "a mark wins": (codecs.BOM_UTF8 + "hé".encode(), "iso-8859-1", "hé"),
        "utf-16": ("hé".encode("utf-16"), "", "hé"),
        "unknown": ("hé".encode(), "klingon", "hé"),
        "no charset of pages": (b"xn--a", "punycode", "xn--a"),
        "no text": (b"hello", "zlib", "hello"),
        "no name": (b"hello", "a\0b", "hello"),
        "wrong": ("hé".encode("cp1252"), "utf-8", "h\ufffd"),
        "nothing": (b"", "", ""),
    }.values(),
)  # fmt: skip
def test_decode_body_decodes_by_bom_charset_and_fallbacks(
    body: bytes, charset: str, text: str
) -> None:
    assert decode_body(body, charset) == text


@settings(deadline=None)
@given(st.text(), st.integers(0, 50))
def test_decode_body_of_a_cut_body_keeps_its_charset(text: str, cut: int) -> None:
    assert text.removeprefix("\ufeff").startswith(decode_body(text.encode()[:cut], "", False))


@pytest.mark.parametrize(
    "meta",
    [
        '<meta charset="koi8-r">',
        "<META CHARSET='koi8-r' />",
        '<meta http-equiv="Content-Type" content="text/html; charset=koi8-r">',
    ],
)
async def test_page_reader_uses_the_charset_that_html_declares(meta: str) -> None:
    read = await PageReader().read(page(f"{meta}<p>привет".encode("koi8-r")))

    assert read.body == "привет"
