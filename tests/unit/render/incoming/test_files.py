"""Files are read by name and kind, with the words Slack shows of them."""

from __future__ import annotations

import pytest

from bot.render.incoming import read_message
from bot.render.incoming.files import MAX_PREVIEW_CHARACTERS
from tests.unit.render.incoming.pieces import Json

PDF = {"id": "F1", "name": "report.pdf", "mimetype": "application/pdf", "pretty_type": "PDF"}
PNG = {"id": "F2", "name": "chart.png", "mimetype": "image/png", "pretty_type": "PNG"}


@pytest.mark.parametrize(
    ("file", "expected", "unreadable"),
    [
        (PDF, "[file: report.pdf, PDF]", ("report.pdf (PDF)",)),
        (PNG, "[image: chart.png]", ("chart.png (PNG)",)),
        (PNG | {"title": "chart"}, "[image: chart.png]", ("chart.png (PNG)",)),
        (PNG | {"title": "CPU &amp; RAM"}, "[image: chart.png, CPU & RAM]", ("chart.png (PNG)",)),
        (PNG | {"alt_txt": "CPU by hour"}, "[image: chart.png, CPU by hour]", ()),
        (
            {"id": "F3", "title": "x", "mimetype": "audio/mp4", "filetype": "m4a"},
            "[audio: x, M4A]",
            ("x (M4A)",),
        ),
        (
            {"id": "F4", "mimetype": "video/mp4"},
            "[video: without a name, video/mp4]",
            ("a file without a name",),
        ),
        ({"id": "F5", "name": "a\nb.txt"}, "[file: a b.txt]", ("a b.txt",)),
        (
            {
                "id": "F6",
                "name": "x.py",
                "pretty_type": "Python",
                "mode": "snippet",
                "preview": "a = 1\nb &lt; 2",
                "preview_highlight": "<div>a = 1</div>",
            },
            "[file: x.py, Python]\n> a = 1\n> b < 2",
            (),
        ),
        (
            {
                "id": "F7",
                "name": "Hello",
                "pretty_type": "Email",
                "mode": "email",
                "subject": "Invoice",
                "plain_text": "Dear Ada",
                "preview_plain_text": "Dear",
                "simplified_html": "<p>Dear Ada</p>",
            },
            "[file: Hello, Email, Invoice]\n> Dear Ada",
            (),
        ),
        (
            {
                "id": "F8",
                "name": "voice",
                "mimetype": "audio/mp4",
                "transcription": {"status": "complete", "preview": {"content": "call me"}},
            },
            "[audio: voice, audio/mp4]\n> call me",
            (),
        ),
        ({"id": "F9", "mode": "tombstone"}, "[file: no longer in Slack]", ("a file that is gone",)),
        (
            {"id": "F9", "mode": "hidden_by_limit"},
            "[file: no longer in Slack]",
            ("a file that is gone",),
        ),
    ],
)
def test_file_reads_as_its_name_and_kind(
    file: Json, expected: str, unreadable: tuple[str, ...]
) -> None:
    found = read_message({"text": "", "files": [file]})
    assert (found.text, found.unreadable) == (expected, unreadable)
    assert found.has_words is not bool(unreadable)


def test_file_with_a_text_counts_as_words() -> None:
    found = read_message({"text": "what is in this?", "files": [PDF, PNG]})
    assert found.text == "what is in this?\n\n[file: report.pdf, PDF]\n[image: chart.png]"
    assert found.files == found.unreadable == ("report.pdf (PDF)", "chart.png (PNG)")
    assert found.has_words


@pytest.mark.parametrize("said", ["<@U1>", " <@U1> <@U2> ", ""])
def test_file_with_mentions_only_counts_as_no_words(said: str) -> None:
    assert not read_message({"text": said, "files": [PDF]}).has_words


def test_file_preview_that_is_long_is_cut() -> None:
    found = read_message({"files": [PDF | {"preview": "word " * 100_000}]})
    assert len(found.text) < MAX_PREVIEW_CHARACTERS + 100
    assert found.text.endswith("word…")


@pytest.mark.parametrize("odd", [None, 1, "x", {}, [None, 1, "x", {}, []], [{"name": 1}]])
def test_file_entries_of_the_wrong_type_read_as_empty(odd: object) -> None:
    assert read_message({"text": "hello", "files": odd}).text == "hello"
