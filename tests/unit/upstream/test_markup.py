"""The text filter: what a reader gets of markup, however the text was split into deltas."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from time import process_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.upstream.text.markup import (
    MAX_HELD_CHARACTERS,
    FilteredText,
    TextFilter,
    filter_text,
    may_contain_markup,
    strip_tool_calls,
)
from bot.upstream.text.markup.code import GrowingCodeState, ends_in_code

CITE = "\ue200cite\ue202turn0search0\ue202turn1news2\ue201"


class Reader:
    """Follows a filter: what is shown, what was thought, and the most that was held back."""

    def __init__(self) -> None:
        self.shown = ""
        self.thought = ""
        self.most_held = 0
        self.filter = TextFilter(lambda: self.shown)

    def read(self, pieces: Sequence[str]) -> Reader:
        for piece in pieces:
            self.read_one(piece)
        self._take(self.filter.end())
        return self

    def read_one(self, piece: str) -> None:
        if may_contain_markup(piece) or not self.filter.passes_through:
            self._take(self.filter.feed(piece))
        else:
            self.shown += piece
        self.most_held = max(self.most_held, len(self.filter.held))

    def _take(self, piece: FilteredText) -> None:
        self.shown = self.shown[: len(self.shown) - piece.retracted] + piece.text
        self.thought += piece.thinking


def assert_shows(text: str, shown: str, thought: str = "") -> None:
    """Whole, in single characters, and cut once anywhere, a text reads as it should."""
    assert filter_text(text) == FilteredText(shown, thought)
    cuts = [[text[:at], text[at:]] for at in range(len(text))]
    for pieces in [[*text], *cuts]:
        reader = Reader().read(pieces)
        assert (reader.shown, reader.thought) == (shown, thought), pieces


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"Otters sleep.{CITE}", "Otters sleep."),
        (f"Otters sleep {CITE}.", "Otters sleep."),
        (f"Otters sleep. {CITE}", "Otters sleep."),
        (f"Otters {CITE} sleep.", "Otters sleep."),
        (f"Otters {CITE}sleep.", "Otters sleep."),
        (f"Sleep {CITE} {CITE}, and eat {CITE}{CITE}.", "Sleep, and eat."),
        (f"- one {CITE}\n- two {CITE}\n", "- one\n- two\n"),
        (f"One.\n{CITE}\n\nTwo.", "One.\n\nTwo."),
        (f"{CITE} One.", "One."),
        ("\ue200navlist\ue202Otters\ue202turn0search1,turn0search2\ue201One.", "One."),
        ("\ue200i\ue202turn0image0\ue202turn0image1\ue201One.", "One."),
        ('\ue200image_group{"query":["otters"],"num":4}\ue201One.', "One."),
        ("One\ue200filecite\ue202turn0file0\ue202L1-L5\ue201.", "One."),
        ('In \ue200entity["city","Paris","the capital"]\ue201 now.', "In Paris now."),
        ('In \ue200entity\ue202["city","Paris"]\ue201.', "In Paris."),
        ("See \ue200url\ue202the report\ue202turn0search3\ue201.", "See the report."),
        ("One. \ue200cite\ue202turn0sea", "One."),
        ("One. \ue200ci", "One."),
        ("One.\ue200", "One."),
        ("One.\ue203two\ue204 \ue206three", "One.two three"),
        ("One \ue200 two", "One two"),
        ("One【4:0†source】.", "One."),
        ("One 【4†report (final).pdf】.", "One."),
        ("One【12:3†L1-L5】【1†source】 two", "One two"),
        ("One【4:0†sou", "One"),
    ],
)
def test_text_filter_drops_citation_marks_without_a_gap(text: str, shown: str) -> None:
    assert_shows(text, shown)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Otters sleep.citeturn0search0", "Otters sleep."),
        ("Otters sleep citeturn0search0.", "Otters sleep."),
        ("Otters sleepciteturn0search0.", "Otters sleep."),
        ("Otters sleep.citeturn0search1turn0news2 They eat.", "Otters sleep. They eat."),
        ("Otters sleep. cite turn0search1 turn0news2 They eat.", "Otters sleep. They eat."),
        ("Otters sleep cite turn0search1 . They eat.", "Otters sleep. They eat."),
        ("Otters cite\ue202turn0search1\ue202turn0view2 sleep.", "Otters sleep."),
        ("Otters sleep.filecite turn0file1", "Otters sleep."),
        ("Otters sleep. fileciteturn10file12turn0file2L3-L45 They eat.", "Otters sleep. They eat."),
        ("Otters sleep. filecite turn0file1 L3-L45 \n", "Otters sleep.\n"),
        ("See the profileciteturn0search0.", "See the profile."),
        ("See the reportfileciteturn0file0.", "See the report."),
        ("citeturn0search0turn0search1 One.", "One."),
        ("- one citeturn0search0\n- two citeturn0search1\n", "- one\n- two\n"),
        ("水獭睡觉cite turn0search0。", "水獭睡觉。"),
        ("Use `x`.citeturn0search0", "Use `x`."),
        ("```\nx\n```\nciteturn0search0\nOne.", "```\nx\n```\nOne."),
        ("citeturn0search0turn left", "turn left"),
        ("citeturn0search05 otters", "5 otters"),
        ("One citeturn0view0 L1 cache", "One L1 cache"),
        ("One. citeturn0sea", "One."),
        ("One. citeturn0search0turn1ne", "One."),
        ("One. filecite turn0fi", "One."),
    ],
)
def test_text_filter_drops_bare_citation_marks(text: str, shown: str) -> None:
    assert_shows(text, shown)


@pytest.mark.parametrize(
    "text",
    [
        "cite",
        "They cite turn",
        "cite turn0",
        "Please cite the profile, and recite it: cite, filecite, c, f, fi",
        "recite turn0search0 twice",
        "Turn 0, turn0 and turn0search0 name nothing; cite turn 0 search 0",
        "cite turn0 search0, citeturn00search0, citeturnsearch0, citeturn0x1",
        "CiteTurn0Search0",
        "A mark is `citeturn0search0`, or ``cite turn0search0``.",
        "```\nfilecite turn0file1\n\nciteturn0search0\n```\nOne.",
        "~~~\nciteturn0search0",
    ],
)
def test_text_filter_keeps_words_and_code_like_bare_marks(text: str) -> None:
    assert_shows(text, text)


WORDS = st.sampled_from(
    [
        *("cite", "cites", "recite", "citeturn", "filecite", "file", "profile", "turn", "turn0"),
        *("turnover", "return0", "search", "search0", "turn0search0", "music", "of", "if", "L1"),
        *("cit", "ci", "fi", "0", "12", "the", "Otters", "otters'", "news", "\n\n", "水", "`", ","),
    ]
)


@given(st.lists(WORDS | st.text("cfile tun0search1\n", max_size=6), max_size=12))
@example(["the", "music", "of", "a", "profile"])
def test_text_filter_holds_back_no_words_unlike_marks(words: list[str]) -> None:
    text = " ".join(["Otters", *words])
    if _CITED.search(text):
        return
    assert filter_text(text) == FilteredText(text)
    reader = Reader()
    for at, letter in enumerate(text):
        reader.read_one(letter)
        held = reader.filter.held
        assert reader.shown + held == text[: at + 1]
        assert _BEGUN.fullmatch(held) or not held


# Written for these texts alone: what is surely a mark, and how one may begin.
_CITED = re.compile(r"cite ?turn\d+[a-z]")
_BEGUN = re.compile(r"f|fi|fil|file|(file)?(c|ci|cit|cite ?(t|tu|tur|turn\d*)?)")


FIRSTS = [["cite", "turn0search1"], ["filecite", "turn2file10"], ["cite", "turn12view0"]]
NAMES = st.builds(
    lambda first, more: [*first, *more],
    st.sampled_from(FIRSTS),
    st.lists(st.sampled_from(["turn0news2", "turn12image3"]), max_size=3),
)
CITED = st.tuples(st.sampled_from(["Otters", "sleep", "of", "file", "music", "."]), NAMES)


@given(st.lists(st.tuples(CITED, st.booleans()), max_size=4))
def test_text_filter_drops_bare_marks_after_words(
    written: list[tuple[tuple[str, list[str]], bool]],
) -> None:
    """With a blank in place of each character that was lost, or with nothing."""
    text = " ".join(
        f"{word} {' '.join(names)} " if blanks else word + "".join(names)
        for (word, names), blanks in written
    )
    assert_shows(text, " ".join(word for (word, _), _ in written))


@pytest.mark.parametrize(
    "text",
    [
        "【注意】Otters【4】 and 【4:1】 and 【",
        "a < b, `<think>`, <b>bold</b>, x <= y, <",
        "Use the <think> tag: <think>a</think> is thinking.",
        "The </think> tag closes it.",
        'Write "</think>" or `</think>` at its end.',
        "```\nprint('</think>')\n</think>\n```\n",
        "<thin",
        "<thinker>a</thinker>",
        "  \n\n  Otters  \n",
        "<",
        "<|channel|>",
        "<table>\n<tr><td>1</td></tr></table>",
        "blanks  stay \t \n and so on  ",
    ],
)
def test_text_filter_keeps_text_that_looks_like_markup(text: str) -> None:
    assert_shows(text, text)


@pytest.mark.parametrize(
    ("text", "shown", "thought"),
    [
        ("<think>a</think>b", "b", "a"),
        ("\n <think>\na\n</think>\n\nb", "b", "\na\n"),
        ("<THINKING>a</thinking> b", "b", "a"),
        ("<reasoning>a < b</reasoning>c", "c", "a < b"),
        ("<think>a</think><think>b</think>\nc", "c", "ab"),
        ("<think></think>\n\nb", "b", ""),
        ("[THINK]a[/THINK]b", "b", "a"),
        ("◁think▷a◁/think▷b", "b", "a"),
        ("<think>a", "", "a"),
        ("<think>a</thi", "", "a</thi"),
        ("a</think>b", "b", "a"),
        ("I weigh it.\nAnd so on.\n</think>\n\nb", "b", "I weigh it.\nAnd so on.\n"),
        ("</think>\n\nb", "b", ""),
        ("<|channel|>analysis<|message|>a<|end|>b", "b", "a"),
        (
            "<|channel|>analysis<|message|>a<|end|>"
            "<|start|>assistant<|channel|>final<|message|>b<|return|>",
            "b",
            "a",
        ),
        ("<|channel|>analysis<|message|>a<|channel|>final<|message|>b", "b", "a"),
        ("<|start|>assistant<|channel|>final<|message|>b < c", "b < c", ""),
        ("<think>a</think>See <think>b</think>", "See <think>b</think>", "a"),
        (f"<think>a</think>One {CITE}.", "One.", "a"),
    ],
)
def test_text_filter_separates_thinking_at_the_beginning(
    text: str, shown: str, thought: str
) -> None:
    assert_shows(text, shown, thought)


def test_text_filter_keeps_a_late_closing_tag() -> None:
    text = "Otters sleep.\n" * 1000 + "</think>\nb"
    assert filter_text(text).text == text


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ('<tool_call>{"name":"now","arguments":{}}</tool_call>', ""),
        ('One.\n<tool_call>\n{"name":"now"}\n</tool_call>\n', "One."),
        ('One.\n\n<tool_call>{"name":"now"}</tool_call>\n\nTwo.', "One.\n\nTwo."),
        ("<function=now>\n<parameter=a>1</parameter>\n</function>", ""),
        ('<function_calls><invoke name="now"></invoke></function_calls>', ""),
        ('[TOOL_CALLS][{"name":"now","arguments":{}}]', ""),
        ('One. [TOOL_CALLS]now[ARGS]{"a":1}', "One."),
        ("<|tool_call_begin|>functions.now:0<|tool_call_argument_begin|>{}<|tool_call_end|>", ""),
        ('One. functions.now:0{"a":{"b":"}"}}', "One."),
        ('<|python_tag|>{"name":"now","parameters":{}}', ""),
        ('<|channel|>commentary to=functions.now <|constrain|>json<|message|>{"a":1}<|call|>', ""),
        ('<tool_call>{"name":"now"}\nTwo.', "Two."),
        ("</tool_call>", ""),
        ('<tool_call>{"name":"other"}</tool_call>', None),
        ('`<tool_call>{"name":"now"}</tool_call>` is its form', None),
        ('```\n<tool_call>{"name":"now"}</tool_call>\n```', None),
        ("It is now. functions.now:0 and no JSON", None),
        ("Plain words about now.  ", None),
    ],
)
def test_strip_tool_calls_removes_only_calls_that_came(text: str, rest: str | None) -> None:
    assert strip_tool_calls(text, ["now"]) == (text if rest is None else rest)
    assert strip_tool_calls(text, []) == text
    assert filter_text(text).text == text


MARKS = st.sampled_from(
    [
        *("<think>", "</think>", "<thinking>", "</thinking>", "[THINK]", "[/THINK]", "<tool_call>"),
        *("</tool_call>", "<function=", "\ue200cite\ue202turn0search0\ue201", "\ue200", "\ue202"),
        *(
            "\ue201",
            "\ue200entity[",
            '["a","b"]',
            "【4:0†source】",
            "【",
            "†",
            "<",
            "<|",
            "`",
            "```",
        ),
        *("<|channel|>", "analysis", "final", "<|message|>", "<|end|>", "<|start|>assistant"),
        *("cite", "filecite", "turn0", "search1", "file2", "citeturn0search0", "L1-L2", "f", "c"),
        *("\n", "\n\n", " ", "   ", "a", "word ", ". ", "x" * 50, "y " * 300),
    ],
)
TEXTS = st.lists(MARKS | st.text(max_size=5), max_size=14).map("".join)


@given(TEXTS, st.lists(st.integers(0, 400), max_size=12))
@example("a <think>b</think>", [1, 2])
def test_text_filter_result_is_independent_of_deltas(
    text: str,
    cuts: list[int],
) -> None:
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    pieces = [text[a:b] for a, b in pairwise(places)]
    whole = filter_text(text)
    for reader in (Reader().read(pieces), Reader().read([*text])):
        assert (reader.shown, reader.thought) == (whole.text, whole.thinking)
        assert reader.most_held <= MAX_HELD_CHARACTERS


@given(st.lists(st.text("`~\n \ta", max_size=6), max_size=8))
def test_growing_code_state_agrees_with_the_full_text(pieces: list[str]) -> None:
    text, code = "", GrowingCodeState()
    for piece in pieces:
        text += piece
        code = code.extended(text)
        assert code.ends_in_code(text) == ends_in_code(text)


PLAIN = st.text(st.characters(exclude_categories=["Cs", "Co"], exclude_characters="<【[◁"))


@given(PLAIN)
def test_text_filter_keeps_text_without_marks(text: str) -> None:
    assert filter_text(text) == FilteredText(text)
    assert Reader().read([*text]).shown == text


@given(st.sampled_from(["<", "</think>", "\ue200", "【", "【4:0†", "<tool_call>", " " + CITE, "`"]))
def test_text_filter_holds_back_a_bounded_amount(atom: str) -> None:
    reader = Reader().read([*(atom * 200)])
    assert reader.most_held <= MAX_HELD_CHARACTERS
    assert filter_text(atom * 200).text == reader.shown


@pytest.mark.parametrize(
    "atom",
    [
        *(
            'functions.now:0{"',
            "<tool_call>",
            "`</think>",
            "<",
            "\ue200",
            "cite",
            "citeturn0search0",
        ),
        *("a citeturn0search0", "`a` cite turn0file0", "\n citeturn0search0\n", "turn0search0"),
    ],
)
def test_text_filter_takes_linear_time_for_repeated_openers(atom: str) -> None:
    def seconds(count: int) -> float:
        began = process_time()
        strip_tool_calls(filter_text(atom * count).text, ["now"])
        return process_time() - began

    few = min(seconds(2_000) for _ in range(3))
    assert min(seconds(16_000) for _ in range(2)) < 30 * max(few, 0.002)
