"""Our own answers are read back as the markdown they were, whatever Slack made of them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.render.incoming import answer_text
from bot.render.message import render_messages
from bot.values import Draft, Phase
from tests.support.words import EN
from tests.unit.render.incoming.pieces import Json
from tests.unit.render.incoming.returned_blocks import html, returned_blocks

ANSWER = """\
## Prices

Tea is **cheap** and *good*, see [the list](https://x.example/list) or `tea.csv`:

| Item | Price |
| :-: | --: |
| **Tea** | 5 |
| a\\|b | `7` |

Do this:

1. boil water
   - not too hot
   - ~~not~~ too long
2. wait
   1. a while
   2. longer
3. drink

```python
print("a < b && c")
```

> quoted
> twice

---

The end."""


def read_back(markdown: str, **more: list[Json]) -> str:
    above, below = more.get("above", []), more.get("below", [])
    return answer_text({"text": "x", "blocks": [*above, *returned_blocks(markdown), *below]})


def test_answer_text_is_the_whole_answer() -> None:
    assert read_back(ANSWER) == ANSWER.replace("this:\n\n1.", "this:\n1.")


@pytest.mark.parametrize(
    "markdown",
    [
        "one\n\ntwo",
        "## A heading",
        "- a\n- b",
        "3. c\n4. d",
        "- a\n  - b\n    - c\n- d",
        "1. a\n   1. b\n2. c",
        "```\nplain\n```",
        "````markdown\n```\ninner\n```\n````",
        "> a\n>\n> b",
        "| a | b |\n| --- | --- |\n| 1 | 2 |",
        "a **b *c* d** e",
        "[x](https://x.example)",
        "``a`b``",
        "a < b & c",
        "---",
    ],
)
def test_answer_text_restores_each_kind_of_markdown(markdown: str) -> None:
    assert read_back(markdown) == markdown


@pytest.mark.parametrize("phase", list(Phase))
def test_answer_text_excludes_the_lines_around_the_answer(phase: Phase) -> None:
    draft = Draft(phase, "So *it* is.", "Stopped by <@U1>" if phase is Phase.STOPPED else "A note")
    (body,) = render_messages(
        draft,
        question_id="q",
        language=EN,
        asked_by="U1",
        question="Why?",
        buttons=[{"type": "button", "text": {"type": "plain_text", "text": "Stop"}}],
    )
    above, markdown, *below = json.loads(body.blocks)
    assert markdown["type"] == "markdown"
    assert answer_text({"blocks": [above, markdown, *below]}) == "So *it* is."
    assert read_back("So *it* is.", above=[above], below=below) == "So *it* is."


@pytest.mark.parametrize("phase", list(Phase))
def test_answer_text_of_a_placeholder_or_notice_is_empty(phase: Phase) -> None:
    draft = Draft(phase, "", "It did not work.")
    (body,) = render_messages(draft, question_id="q", language=EN, asked_by="U1", question="Why?")
    assert answer_text({"text": body.text, "blocks": json.loads(body.blocks)}) == ""


def words() -> st.SearchStrategy[str]:
    return st.lists(st.text("abcxyz", min_size=1, max_size=5), min_size=1, max_size=4).map(" ".join)


def inline() -> st.SearchStrategy[str]:
    forms = ("{}", "**{}**", "*{}*", "~~{}~~", "`{}`", "[{}](https://x.example/a)", "**a *{}* b**")
    one = st.builds(str.format, st.sampled_from(forms), words())
    return st.lists(one, min_size=1, max_size=4).map(" ".join)


@st.composite
def lists(draw: st.DrawFn) -> str:
    """A list of three levels at most, bulleted or numbered."""
    out: list[str] = []
    pads = [""]
    counts = [1]
    ordered = [draw(st.booleans())]
    for _ in range(draw(st.integers(1, 6))):
        step = draw(st.sampled_from(["same", "deeper", "up"])) if out else "same"
        if step == "deeper" and len(pads) < 3:
            pads.append(pads[-1] + " " * (3 if ordered[-1] else 2))
            counts.append(1)
            ordered.append(draw(st.booleans()))
        elif step == "up" and len(pads) > 1:
            for each in (pads, counts, ordered):
                each.pop()
        marker = f"{counts[-1]}." if ordered[-1] else "-"
        out.append(f"{pads[-1]}{marker} {draw(inline())}")
        counts[-1] += 1
    return "\n".join(out)


def documents() -> st.SearchStrategy[str]:
    table = st.lists(inline(), min_size=2, max_size=2).map(
        lambda cells: f"| {cells[0]} | b |\n| --- | :-: |\n| c | {cells[1]} |"
    )
    block = st.one_of(
        inline(),
        words().map(lambda text: f"### {text}"),
        lists().map(lambda text: f"{text}\n\nafter"),
        inline().map(lambda text: f"> {text}\n>\n> b"),
        words().map(lambda text: f"```python\n{text}\n\n  {text}\n```"),
        table,
        st.just("---"),
    )
    return st.lists(block, min_size=1, max_size=6).map("\n\n".join)


@settings(max_examples=150, deadline=None)
@given(documents())
def test_answer_text_renders_like_the_original(markdown: str) -> None:
    assert html(read_back(markdown)) == html(markdown)
