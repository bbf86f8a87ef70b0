"""Each module of `bot/` has tests: of its name, of its package, or named in the table here."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from tests.support.project import ROOT

# Where neither a test of its name nor one of its package imports a module, what covers it: a test
# module, or a folder of them. A package stands for all its modules.
COVERED_BY = {
    "bot.__main__": "tests/unit/test_cli.py",
    "bot.check": "tests/unit/test_cli.py",
    "bot.app": "tests/unit/test_app.py",
    "bot.delivery.clock": "tests/unit/delivery/test_delivery.py",
    "bot.delivery.edits": "tests/unit/delivery/test_delivery.py",
    "bot.delivery.ephemeral.public": "tests/unit/delivery/test_ephemeral_reply.py",
    "bot.delivery.ephemeral.final_send": "tests/unit/delivery/test_live_view_faults.py",
    "bot.delivery.native": "tests/unit/delivery/test_native.py",
    "bot.delivery.scheduling.dispatcher": "tests/unit/delivery/test_delivery.py",
    "bot.delivery.scheduling.live_reply": "tests/unit/delivery/test_delivery.py",
    "bot.delivery.scheduling.wakeup_loop": "tests/unit/delivery/test_delivery.py",
    "bot.history.question.rereading": "tests/unit/turn/test_current_question.py",
    "bot.history.summaries.source": "tests/unit/history/summaries/test_summariser.py",
    "bot.listeners.attachments": "tests/unit/listeners/test_payloads.py",
    "bot.listeners.events": "tests/unit/listeners/test_recorded.py",
    "bot.listeners.home": "tests/unit/listeners/test_recorded.py",
    "bot.listeners.question_lookup": "tests/unit/listeners/test_changes.py",
    "bot.listeners.socket_mode": "tests/unit/listeners/test_socket_mode.py",
    "bot.playground.leash": "tests/e2e/page/test_process.py",
    "bot.playground.model": "tests/unit/playground/model",
    "bot.playground.page": "tests/e2e/page",
    "bot.playground.play": "tests/e2e/page/test_play.py",
    "bot.playground.process": "tests/e2e/page/test_process.py",
    "bot.playground.slack": "tests/unit/playground/slack",
    "bot.render.incoming": "tests/unit/render/incoming",
    "bot.render.safety": "tests/unit/render/test_neutralise.py",
    "bot.settings": "tests/unit/test_settings.py",
    "bot.settings.secrets": "tests/unit/test_secrets.py",
    "bot.slack.calls": "tests/unit/slack/test_client.py",
    "bot.slack.views": "tests/unit/listeners/test_feedback.py",
    "bot.slack.identity": "tests/unit/slack/test_client.py",
    "bot.slack.messages": "tests/unit/history/test_current_question.py",
    "bot.slack.read_limit": "tests/unit/delivery/test_read_limit.py",
    "bot.slack.scopes": "tests/unit/slack/test_client.py",
    "bot.storage.engine.deadline": "tests/unit/storage/test_database.py",
    "bot.storage.migrations.env": "tests/unit/storage/test_migrating.py",
    "bot.storage.transactions.turn_commands": "tests/unit/storage/test_teams.py",
    "bot.storage.transactions.voting": "tests/unit/storage/test_votes.py",
    "bot.storage.turn_ids": "tests/unit/turn/test_revisions.py",
    "bot.storage.unknown_commits": "tests/unit/storage/test_replicas.py",
    "bot.turn.answering.model_rounds": "tests/unit/turn/test_tool_rounds.py",
    "bot.turn.answering.services": "tests/unit/turn/test_answer.py",
    "bot.turn.feedback": "tests/unit/listeners/test_feedback.py",
    "bot.turn.intake": "tests/unit/turn/test_supervisor.py",
    "bot.turn.running": "tests/unit/turn/test_supervisor.py",
    "bot.turn.task_shutdown": "tests/unit/turn/test_supervisor.py",
    "bot.upstream.lenient_json": "tests/unit/upstream/test_chat.py",
    "bot.upstream.requests.tool_rounds": "tests/unit/upstream/test_options.py",
    "bot.upstream.session.request_format": "tests/unit/upstream/test_formats.py",
    "bot.upstream.text": "tests/unit/upstream/test_responses.py",
    "bot.upstream.text.markup": "tests/unit/upstream/test_markup.py",
    "bot.upstream.wire": "tests/unit/upstream/test_responses.py",
    "bot.words.chinese": "tests/unit/words/test_catalogues.py",
    "bot.words.english": "tests/unit/words/test_catalogues.py",
}


def test_modules_each_have_a_test() -> None:
    missing = [module for module in modules() if not (has_own_test(module) or covering(module))]
    assert missing == []


def test_table_names_modules_and_tests_that_exist() -> None:
    packages = {module.rpartition(".")[0] for module in modules()}
    assert [name for name in COVERED_BY if name not in {*modules(), *packages}] == []
    assert [path for path in COVERED_BY.values() if not (ROOT / path).exists()] == []


def test_table_has_no_unneeded_row() -> None:
    needed = {covering(module) for module in modules() if not has_own_test(module)}
    assert set(COVERED_BY) - needed == set()


def test_tests_of_the_table_import_the_module_they_cover() -> None:
    unreached = [
        (module, COVERED_BY[row])
        for module in modules()
        if not has_own_test(module) and (row := covering(module))
        if row not in RUN_AS_PROCESS and module not in reached_from(COVERED_BY[row])
    ]
    assert unreached == []


# What no test imports, because it is run as a process or by another library.
RUN_AS_PROCESS = {"bot.__main__", "bot.check", "bot.storage.migrations.env"}


@cache
def modules() -> list[str]:
    """The modules of `bot/`, without packages' docstrings and single migrations."""
    files = [*(ROOT / "bot").rglob("*.py")]
    kept = [file for file in files if file.name != "__init__.py" and file.parent.name != "versions"]
    return sorted(dotted(file) for file in kept)


def dotted(file: Path) -> str:
    """The name a file is imported by."""
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def has_own_test(module: str) -> bool:
    """Whether a test of its package has the module's name, or imports it."""
    parts = module.split(".")
    tests = own_tests(parts[1] if len(parts) > 2 else "")
    stem = f"test_{parts[-1]}"
    return any(file.stem == stem or module in imported(file) for file in tests)


@cache
def own_tests(package: str) -> list[Path]:
    """The test modules of a package of `bot/`; those of modules beside the packages for ""."""
    folder = ROOT / "tests" / "unit"
    return [*(folder / package).rglob("test_*.py")] if package else [*folder.glob("test_*.py")]


def covering(module: str) -> str:
    """The row of the table for a module: its own, or that of the nearest package; "" for none."""
    while module and module not in COVERED_BY:
        module = module.rpartition(".")[0]
    return module


@cache
def imported(file: Path) -> frozenset[str]:
    """The modules that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(found)


@cache
def reached_from(path: str) -> frozenset[str]:
    """The modules that a test, or those of a folder, import directly or by what they import."""
    start = ROOT / path
    open_files = [start] if start.is_file() else [*start.rglob("*.py")]
    if start.is_file() and (beside := start.parent / "conftest.py").is_file():
        open_files.append(beside)
    seen: set[Path] = set()
    while open_files:
        file = open_files.pop()
        if file not in seen:
            seen.add(file)
            open_files += [source for name in imported(file) for source in sources(name)]
    return frozenset(dotted(file) for file in seen)


@cache
def sources(name: str) -> list[Path]:
    """The files of a module of ours: itself, and the packages it is in."""
    parts = name.split(".")
    if parts[0] not in {"bot", "tests"}:
        return []
    own = ROOT.joinpath(*parts).with_suffix(".py")
    inits = [ROOT.joinpath(*parts[:depth], "__init__.py") for depth in range(1, len(parts) + 1)]
    return [file for file in (own, *inits) if file.is_file()]
