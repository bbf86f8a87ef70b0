"""No sentence for people stands outside the catalogues, and each is said with its fields."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from fnmatch import fnmatchcase

import pytest

from bot.words import Phrase
from bot.words.saying import ENGLISH
from tests.support.layout_rules import Module, read
from tests.support.people_text import Found, people_text
from tests.support.project import ROOT
from tests.unit.words.test_catalogues import all_fields

MODULES = read(ROOT)

# Packages whose texts are for operators and developers, or that are no part of the bot.
OTHER_PACKAGES = frozenset(
    {"check", "cli", "manifest", "playground", "settings", "storage", "words"}
)

# Who reads the other texts, by module and function or constant. A text that people read in Slack
# belongs into the catalogues instead.
OTHER_READERS = {
    "*:__all__": "Python",
    "bot.cache:*": "the type checker",
    "bot.delivery.*:*.abandon": "the log",
    "bot.delivery.native.*:*": "the log: why an answer is edited instead of streamed",
    "bot.delivery.ratelimit.shared_quota:UNEXPECTED_FAILURE": "the log",
    "bot.delivery.workspace:SEARCHES": "the database: the name of a limit",
    "bot.errors:*.__init__": "the log",
    "bot.feedback_report:*": "operators",
    "bot.history.fitting.remarks:gap_marker": "the model",
    "bot.history.fitting.remarks:SUMMARY_HEADER": "the model",
    "bot.history.question.subject:SUBJECT_NOTE": "the model",
    "bot.history.question.subject:SUMMARY_*": "the model",
    "bot.history.summaries.text:*": "the model",
    "bot.history.fitting.token_limit:CLIPPED_ANSWER_MARK": "the model",
    "bot.listeners.admission.phrases:*": "a pattern for what people write",
    "bot.listeners.socket_mode.backoff:*": "the log",
    "bot.observe:*": "operators",
    "bot.render.incoming.attachments:_EMPTY_FALLBACKS": "a pattern for what Slack writes",
    "bot.render.incoming.attachments:_forward_source": "the model",
    "bot.render.incoming.files:_file_text": "the model",
    "bot.render.incoming.*:*_NAME": "the database: a key of UNNAMED_PARTS",
    "bot.server*:*": "clients of HTTP",
    "bot.slack.files:SlackFiles._fetch": "clients of HTTP",
    "bot.tools.arithmetic:*": "the model",
    "bot.tools.calculate:_SYNTAX_HINT": "the model",
    "bot.tools.definition:_definition_error": "developers of tools",
    "bot.tools.search_thread:_*": "the model",
    "bot.tools.toolbox:*": "the model",
    "bot.tools.web.fetch:_HEADERS": "clients of HTTP",
    "bot.tools.web.fetch_page:_format_page": "the model",
    "bot.turn.answering.tool_rounds:*_OUTPUT": "the model",
    "bot.turn.thread_queue:*": "a pattern for what people write",
    "bot.upstream.client:*._headers": "clients of HTTP",
    "bot.upstream.errors.classify:no_answer_error": "the log",
    "bot.upstream.errors.classify:reason_label": "who types `bot ask`",
    "bot.upstream.errors.classify:_build_error": "the log",
    "bot.upstream.errors.words:*": "a pattern for what servers write",
    "bot.upstream.requests.attribution:*": "the model",
    "bot.upstream.session.rejections:_*": "a pattern for what servers write",
    "bot.upstream.session.transport:*": "the log",
    "bot.upstream.text.markup.*:*": "a pattern for what models write",
    "bot.upstream.requests.attachments:_attachment_text": "the model",
}


def _has_other_readers(found: Found) -> list[str]:
    return [known for known in OTHER_READERS if fnmatchcase(f"{found.module}:{found.owner}", known)]


def _texts() -> Iterator[Found]:
    for module in MODULES.values():
        if module.package not in OTHER_PACKAGES:
            yield from people_text(module)


def test_texts_for_people_are_in_the_catalogues() -> None:
    outside = [
        f"{found.module}:{found.line} ({found.owner}): {found.text!r}"
        for found in _texts()
        if not _has_other_readers(found)
    ]
    assert outside == [], "put these into bot/words/, or name their reader in OTHER_READERS"


def test_other_readers_are_named_for_texts_that_exist() -> None:
    used = {known for found in _texts() for known in _has_other_readers(found)}
    assert set(OTHER_READERS) - used == set()


def _saying_calls(module: Module) -> Iterator[tuple[str, int, set[str]]]:
    """The calls that say a phrase by its name: the phrase, the line, and the fields they give."""
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call) or any(k.arg is None for k in node.keywords):
            continue
        for argument in node.args:
            match argument:
                case ast.Attribute(value=ast.Name(id="Phrase"), attr=name) if _says(node.func):
                    yield name, node.lineno, {str(k.arg) for k in node.keywords}


def _says(function: ast.expr) -> bool:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in {"say", "sentence", "say_to"}
    return False


@pytest.mark.parametrize("module", MODULES.values(), ids=lambda module: module.name)
def test_phrases_are_said_with_their_fields(module: Module) -> None:
    wrong = [
        f"{module.path}:{line}: {name} has the fields {sorted(all_fields(ENGLISH[Phrase[name]]))}"
        for name, line, given in _saying_calls(module)
        if given != all_fields(ENGLISH[Phrase[name]])
    ]
    assert wrong == []


def test_phrases_are_all_used() -> None:
    used = {
        node.attr
        for module in MODULES.values()
        for node in ast.walk(module.tree)
        if module.name != "bot.words.chinese"
        and isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "Phrase"
    }
    assert {phrase.name for phrase in Phrase} - used == set()
