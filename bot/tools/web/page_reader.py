"""The bytes of a page as text: decoded by its charset, HTML without markup and boilerplate.

HTML is parsed in a separate process: a hostile page can keep a parser busy for minutes, fill the
memory or trigger a defect in C code. That process gets none of our environment variables, which
hold the tokens, has limits of its own, and is killed when its time is up.
"""

from __future__ import annotations

import asyncio
import codecs
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bot.errors import ToolError
from bot.tools.web.fetch import WebPage

EXTRACT_TIMEOUT_SECONDS = 6.0  # for one page, including the start of the process
MAX_PROCESSES = 2

_PROGRAM = str(Path(__file__).with_name("html_extractor.py"))
_HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
_PLAIN_TYPES = frozenset({"text/plain", "text/markdown", "text/x-markdown", "application/json"})
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_META_CHARSET = re.compile(rb"""<meta[^>]+charset=["'\s]*([\w.:-]{1,40})""", re.IGNORECASE)
# What these labels mean in browsers (https://encoding.spec.whatwg.org/#names-and-labels).
_BROWSER_CODECS = {"ascii": "cp1252", "iso8859-1": "cp1252", "gb2312": "gb18030", "gbk": "gb18030"}
# Codecs of Python that no page uses; some take quadratic time.
_UNFIT_CODECS = frozenset({"idna", "punycode", "unicode-escape", "raw-unicode-escape", "utf-7"})


@dataclass(frozen=True, slots=True)
class PageText:
    """The text of a page; `title` is "" for plain text."""

    title: str
    body: str


class PageReader:
    """Turns pages into text, at most MAX_PROCESSES at a time, each in `timeout_seconds`."""

    def __init__(self, *, timeout_seconds: float = EXTRACT_TIMEOUT_SECONDS) -> None:
        self._process_slots = asyncio.Semaphore(MAX_PROCESSES)
        self._timeout_seconds = timeout_seconds

    async def read(self, page: WebPage) -> PageText:
        """Return a page's text; raises ToolError if it is not text or can't be read."""
        kind = page.media_type
        if kind in _HTML_TYPES:
            charset = page.charset or _declared_charset(page.body)
            return await self._read_html(decode_body(page.body, charset, page.is_complete))
        if kind in _PLAIN_TYPES or kind.endswith("+json"):
            return PageText("", decode_body(page.body, page.charset, page.is_complete).strip())
        raise ToolError(f"The page is not text but {kind or 'of a kind its server does not tell'}.")

    async def _read_html(self, html: str) -> PageText:
        async with self._process_slots:
            try:
                async with asyncio.timeout(self._timeout_seconds):
                    output = await _run_extractor(html.encode("utf-8", "replace"))
            except TimeoutError as error:
                raise ToolError("The page is too complicated to be read.") from error
        try:
            return msgspec.json.decode(output, type=PageText)
        except msgspec.DecodeError as error:  # the process ended early
            raise ToolError("The page can't be read as HTML.") from error


async def _run_extractor(html: bytes) -> bytes:
    """Run the extractor on HTML and return its output; the process never outlives this call."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        _PROGRAM,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={},
    )
    try:
        output, _ = await process.communicate(html)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return output


def decode_body(body: bytes, charset: str, is_complete: bool = True) -> str:
    """Decode by the byte order mark, else by `charset`, else as UTF-8, else as Windows-1252.

    If the body is not complete, a truncated character at its end is dropped.
    """
    marked = next((name for bom, name in _BOMS if body.startswith(bom)), None)
    name = marked or _codec_name(charset)
    if name:
        return (
            codecs.getincrementaldecoder(name)("replace")
            .decode(body, is_complete)
            .removeprefix("\ufeff")
        )
    try:
        return codecs.getincrementaldecoder("utf-8")("strict").decode(body, is_complete)
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")


def _declared_charset(html: bytes) -> str:
    """Return the charset that an HTML document declares near its beginning; "" without one."""
    found = _META_CHARSET.search(html[:2048])
    return found[1].decode("ascii", "replace") if found else ""


def _codec_name(charset: str) -> str:
    """Return the name of the codec for a charset; "" if it is unknown or unfit."""
    try:
        name = codecs.lookup(charset).name
        bytes(4).decode(name, "replace")  # raises for codecs that do not decode to text
    except (LookupError, ValueError):
        return ""
    return "" if name in _UNFIT_CODECS else _BROWSER_CODECS.get(name, name)
