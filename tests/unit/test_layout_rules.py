"""The layout of `bot/` keeps its rules, and the checks find what breaks one."""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest

from tests.support.layout_rules import (
    IMPORTED_BY,
    LAYERS,
    LIBRARY_USERS,
    PURE_MODULES,
    functions,
    is_pure,
    read,
    violations,
)
from tests.support.project import ROOT

MODULES = read(ROOT)


def violations_in(root: Path, files: dict[str, str]) -> list[str]:
    """The violations in a package of these files."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return violations(read(root))


def test_bot_breaks_no_layout_rule() -> None:
    assert MODULES, "no source was read"
    assert violations(MODULES) == []


def test_most_functions_are_short() -> None:
    lengths = [length for m in MODULES.values() for _, _, length in functions(m)]

    assert statistics.median(lengths) <= 10
    assert statistics.quantiles(lengths, n=10)[-1] <= 35


def test_pure_module_patterns_each_match_a_module() -> None:
    assert [p for p in PURE_MODULES if not any(p.rstrip("*") in name for name in MODULES)] == []


def test_package_is_in_one_layer_and_library_users_are_packages() -> None:
    packages = [package for layer in LAYERS for package in layer] + list(IMPORTED_BY)

    assert len(packages) == len(set(packages))
    assert set().union(*LIBRARY_USERS.values()) <= set(packages)


WRONG = {
    "upwards": (
        {"bot/delivery/x.py": "import os\nfrom bot.turn import answer\n", "bot/turn/answer.py": ""},
        "delivery may not import turn (bot/delivery/x.py:2)",
    ),
    "the same layer": (
        {"bot/history.py": "import bot.access\n", "bot/access.py": ""},
        "history may not import access (bot/history.py:1)",
    ),
    "inside a function": (
        {"bot/slack.py": "def f():\n    from bot.app import x\n", "bot/app.py": ""},
        "slack may not import app (bot/slack.py:2)",
    ),
    "the wrong way inside a package": (
        {
            "bot/delivery/edits/reply.py": "from bot.delivery.native import layout\n",
            "bot/delivery/native/layout.py": "",
        },
        "inside delivery, edits may not import native (bot/delivery/edits/reply.py:1)",
    ),
    "side by side inside a package": (
        {
            "bot/delivery/ephemeral/reply.py": "import bot.delivery.native.layout\n",
            "bot/delivery/native/layout.py": "",
        },
        "inside delivery, ephemeral may not import native (bot/delivery/ephemeral/reply.py:1)",
    ),
    "a part of a package without a layer": (
        {"bot/render/extra.py": "from bot.render import split\n", "bot/render/split.py": ""},
        "inside render, extra may not import split (bot/render/extra.py:1)",
    ),
    "for types only": (
        {
            "bot/slack.py": "if TYPE_CHECKING:\n    from bot.turn import Turn\n",
            "bot/turn/__init__.py": "",
        },
        "slack may not import turn (bot/slack.py:2)",
    ),
    "relative": (
        {"bot/slack.py": "", "bot/upstream/client.py": "from .. import slack\n"},
        "upstream may not import slack (bot/upstream/client.py:1)",
    ),
    "relative, from the package itself": (
        {"bot/observe.py": "from . import cli\n", "bot/cli.py": ""},
        "observe may not import cli (bot/observe.py:1)",
    ),
    "by name at run time": (
        {"bot/history.py": "import_module('bot.turn')\n", "bot/turn/__init__.py": ""},
        "history may not import turn (bot/history.py:1)",
    ),
    "settings below the app": (
        {"bot/upstream/client.py": "from bot.settings import load\n", "bot/settings.py": ""},
        "upstream may not import settings (bot/upstream/client.py:1)",
    ),
    "the bot in the playground": (
        {"bot/playground/server.py": "from bot.values import Draft\n", "bot/values.py": ""},
        "playground may not import values (bot/playground/server.py:1)",
    ),
    "the playground in the bot": (
        {"bot/app.py": "from bot.playground import server\n", "bot/playground/server.py": ""},
        "app may not import playground (bot/app.py:1)",
    ),
    "a library of another package": (
        {"bot/delivery/delivery.py": "def f():\n    from slack_sdk.errors import SlackApiError\n"},
        "delivery may not import slack_sdk (bot/delivery/delivery.py:2)",
    ),
    "a database outside storage": (
        {"bot/turn/answer.py": "import sqlalchemy.ext.asyncio as sa\n"},
        "turn may not import sqlalchemy (bot/turn/answer.py:1)",
    ),
    "a clock in a pure module": (
        {"bot/delivery/scheduling/edit_scheduler.py": "from time import monotonic\n"},
        "bot.delivery.scheduling.edit_scheduler is pure, so it may not import time.monotonic "
        "(bot/delivery/scheduling/edit_scheduler.py:1)",
    ),
    "waiting in a pure module": (
        {"bot/render/split.py": "import asyncio\n"},
        "bot.render.split is pure, so it may not import asyncio (bot/render/split.py:1)",
    ),
    "a pure module that imports an impure one": (
        {
            "bot/turn/state/answer_state.py": "from bot.upstream.client import stream\n",
            "bot/upstream/client.py": "from bot.upstream import config\n",
            "bot/upstream/config.py": "import socket\n",
        },
        "bot.turn.state.answer_state is pure, so it may not import bot.upstream.client "
        "(bot/turn/state/answer_state.py:1)",
    ),
    "a file opened in a pure module": (
        {"bot/values.py": "TEXT = open('x').read()\n"},
        "bot.values is pure, so it may not call open (bot/values.py:1)",
    ),
    "the time of day in a pure module": (
        {"bot/values.py": "from datetime import UTC, datetime\nSTART = datetime.now(UTC)\n"},
        "bot.values is pure, so it may not call now (bot/values.py:2)",
    ),
    "a cycle": (
        {
            "bot/tools/a.py": "from bot.tools import b\n",
            "bot/tools/b.py": "import bot.tools.c\n",
            "bot/tools/c.py": "from .a import x\n",
        },
        "imports run in a circle: bot.tools.a → bot.tools.b → bot.tools.c → bot.tools.a",
    ),
    "a package without a layer": (
        {"bot/extra.py": ""},
        "extra is in no layer (bot/extra.py)",
    ),
    "an empty name": (
        {"bot/turn/utils.py": ""},
        "bot/turn/utils.py has a name that says nothing",
    ),
    "a long file": (
        {"bot/access.py": "\n" * 401},
        "bot/access.py has 401 lines; 400 are allowed",
    ),
    "a long function": (
        {"bot/access.py": "def f():\n    '''One.\n\n    Two.'''\n" + "    x = 1\n" * 60},
        "f has 61 lines (bot/access.py:1); 60 are allowed",
    ),
}


@pytest.mark.parametrize(("files", "violation"), WRONG.values(), ids=WRONG.keys())
def test_broken_rule_is_named(tmp_path: Path, files: dict[str, str], violation: str) -> None:
    assert violations_in(tmp_path, files) == [violation]


def test_package_that_keeps_the_rules_has_no_violations(tmp_path: Path) -> None:
    files = {
        "bot/__init__.py": "",
        "bot/__main__.py": "from bot.cli import main\n",
        "bot/cli.py": "from bot import app, settings\nfrom .playground import server\n",
        "bot/app.py": "from bot.settings import load\nfrom bot.turn import answer\n",
        "bot/settings.py": "from bot.errors import SettingsError\nimport pydantic\n",
        "bot/turn/__init__.py": "",
        "bot/turn/answering/answer.py": "from ..state import resume\nimport bot.delivery.edits\n",
        "bot/turn/state/resume.py": "import dataclasses\nfrom bot.values import Draft\n",
        "bot/delivery/edits/reply.py": "from bot.slack import Slack\n",
        "bot/slack.py": "import slack_sdk\nfrom bot.errors import SlackError\n",
        "bot/values.py": "import enum\n",
        "bot/errors.py": "",
        "bot/playground/server.py": "import aiohttp\nfrom bot.playground import limits\n",
        "bot/playground/limits.py": "import math\n",
    }

    assert violations_in(tmp_path, files) == []


def test_pure_modules_are_known_by_name() -> None:
    assert is_pure("bot.render.split")
    assert is_pure("bot.delivery.scheduling.edit_scheduler")
    assert not is_pure("bot.delivery.edits.reply")
