"""Standard markdown to HTML: Slack's `markdown` blocks and `markdown_text`.

CommonMark with tables, strikethrough and task lists; raw HTML stays text, images become links
(docs/slack.md#markdown). Slack's own `<@U…>`, `<!channel>` and `<url|label>` are honoured outside
code, as Slack does (docs/slack.md#slack-markup), so that a bot which lets one through is seen to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from bot.playground.page import emoji
from bot.playground.page.markup import code_block, is_safe, link, text
from bot.playground.page.mrkdwn import URL
from bot.playground.page.names import TOKEN, Names, token

_TASK = re.compile(r"\[(?P<done>[ xX])\] ")
_PLAIN = re.compile(rf"(?P<url>{URL})|{emoji.NAME.pattern}")


class _Renderer(RendererHTML):
    """Where Slack's clients draw things their own way."""

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        language = tokens[idx].info.strip().partition(" ")[0]
        return code_block(tokens[idx].content.removesuffix("\n"), language)

    def code_block(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        return code_block(tokens[idx].content.removesuffix("\n"))

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        url = str(tokens[idx].attrs.get("src", ""))
        return link(url, text(tokens[idx].content or url))

    def table_open(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        return '<div class="table" tabindex="0"><table>'

    def table_close(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        return "</table></div>"


def to_html(written: str, names: Names) -> str:
    """Markdown as HTML."""
    return str(_PARSER.render(written, {"names": names}))


def _slack_token(state: StateInline, silent: bool) -> bool:
    """`<@U…>` and its kind, where CommonMark would look for an autolink."""
    found = TOKEN.match(state.src, state.pos)
    if found is None:
        return False
    if not silent:
        state.push("html_inline", "", 0).content = token(found["token"], state.env["names"])
    state.pos = found.end()
    return True


def _details(state: StateCore) -> None:
    """Task boxes, outward links, bare addresses, emoji, and alignment without inline styles."""
    for index, block in enumerate(state.tokens):
        _align(block)
        if block.children:
            inside_item = index >= 2 and state.tokens[index - 2].type == "list_item_open"
            if inside_item and _tick(block.children):
                state.tokens[index - 2].attrJoin("class", "task")
            block.children = list(_outward(block.children))


def _align(cell: Token) -> None:
    style = cell.attrs.pop("style", None)
    if style is not None:
        cell.attrJoin("class", str(style).replace("text-align:", "align-"))


def _tick(children: list[Token]) -> bool:
    found = _TASK.match(children[0].content) if children[0].type == "text" else None
    if found is None:
        return False
    children[0].content = children[0].content[found.end() :]
    checked = " checked" if found["done"] != " " else ""
    children.insert(0, _ready(f'<input type="checkbox" disabled{checked}> '))
    return True


def _outward(children: list[Token]) -> Iterator[Token]:
    depth = 0
    for child in children:
        if child.type == "link_open":
            depth += 1
            _open_elsewhere(child)
        elif child.type == "link_close":
            depth -= 1
        if child.type == "text":
            yield from _draw(child.content, linked=depth > 0)
        else:
            yield child


def _open_elsewhere(child: Token) -> None:
    if not is_safe(str(child.attrs.get("href", ""))):
        child.attrs.pop("href", None)
        return
    child.attrSet("target", "_blank")
    child.attrSet("rel", "noopener noreferrer")


def _draw(plain: str, *, linked: bool) -> Iterator[Token]:
    pieces, end = [], 0
    for found in _PLAIN.finditer(plain):
        address = found["url"]
        drawn = emoji.EMOJI.get(found["name"] or "", found[0])
        pieces += [text(plain[end : found.start()])]
        pieces += [link(address, text(address)) if address and not linked else text(drawn)]
        end = found.end()
    yield _ready("".join([*pieces, text(plain[end:])]))


def _ready(html: str) -> Token:
    return Token("html_inline", "", 0, content=html)


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True}, renderer_cls=_Renderer)
    parser.enable(["table", "strikethrough"]).disable(["html_inline", "html_block"])
    parser.inline.ruler.before("autolink", "slack_token", _slack_token)
    parser.core.ruler.push("details", _details)
    return parser


_PARSER = _parser()
