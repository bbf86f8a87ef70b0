"""The house matches its floor plan, and the plan's keeper notices when it does not."""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest

from tests.support.project import ROOT
from tests.support.rooms import (
    DOORS,
    ENTERED_BY,
    FLOORS,
    THINKING,
    complaints,
    functions,
    read,
    thinks,
)

HOUSE = read(ROOT)


def planted(root: Path, files: dict[str, str]) -> list[str]:
    """What is said about a small house of these files."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return complaints(read(root))


def test_every_import_runs_downwards_through_the_right_door() -> None:
    assert HOUSE, "no source was read"
    assert complaints(HOUSE) == []


def test_functions_stay_short_on_the_whole() -> None:
    lengths = [length for m in HOUSE.values() for _, _, length in functions(m)]

    assert statistics.median(lengths) <= 10
    assert statistics.quantiles(lengths, n=10)[-1] <= 35


def test_every_pattern_of_a_thinking_part_names_a_file() -> None:
    assert [p for p in THINKING if not any(p.rstrip("*") in name for name in HOUSE)] == []


def test_a_room_stands_on_one_floor_and_doors_lead_to_rooms() -> None:
    rooms = [room for floor in FLOORS for room in floor] + list(ENTERED_BY)

    assert len(rooms) == len(set(rooms))
    assert set().union(*DOORS.values()) <= set(rooms)


WRONG = {
    "upwards": (
        {"bot/delivery/x.py": "import os\nfrom bot.turn import answer\n", "bot/turn/answer.py": ""},
        "delivery may not import turn (bot/delivery/x.py:2)",
    ),
    "a neighbour": (
        {"bot/history.py": "import bot.access\n", "bot/access.py": ""},
        "history may not import access (bot/history.py:1)",
    ),
    "inside a function": (
        {"bot/slack.py": "def f():\n    from bot.app import x\n", "bot/app.py": ""},
        "slack may not import app (bot/slack.py:2)",
    ),
    "the wrong way inside a room": (
        {
            "bot/delivery/edits/reply.py": "from bot.delivery.native import layout\n",
            "bot/delivery/native/layout.py": "",
        },
        "inside delivery, edits may not import native (bot/delivery/edits/reply.py:1)",
    ),
    "side by side inside a room": (
        {
            "bot/delivery/ephemeral/reply.py": "import bot.delivery.native.layout\n",
            "bot/delivery/native/layout.py": "",
        },
        "inside delivery, ephemeral may not import native (bot/delivery/ephemeral/reply.py:1)",
    ),
    "a part of a room without a floor": (
        {"bot/render/attic.py": "from bot.render import split\n", "bot/render/split.py": ""},
        "inside render, attic may not import split (bot/render/attic.py:1)",
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
    "another door": (
        {"bot/delivery/delivery.py": "def f():\n    from slack_sdk.errors import SlackApiError\n"},
        "delivery may not import slack_sdk (bot/delivery/delivery.py:2)",
    ),
    "a database outside storage": (
        {"bot/turn/answer.py": "import sqlalchemy.ext.asyncio as sa\n"},
        "turn may not import sqlalchemy (bot/turn/answer.py:1)",
    ),
    "a clock in a thinking part": (
        {"bot/delivery/scheduling/edit_scheduler.py": "from time import monotonic\n"},
        "bot.delivery.scheduling.edit_scheduler only thinks, so it may not import time.monotonic "
        "(bot/delivery/scheduling/edit_scheduler.py:1)",
    ),
    "waiting in a thinking part": (
        {"bot/render/split.py": "import asyncio\n"},
        "bot.render.split only thinks, so it may not import asyncio (bot/render/split.py:1)",
    ),
    "a thinking part that leans on a driver": (
        {
            "bot/turn/answer_state.py": "from bot.upstream.client import stream\n",
            "bot/upstream/client.py": "from bot.upstream import config\n",
            "bot/upstream/config.py": "import socket\n",
        },
        "bot.turn.answer_state only thinks, so it may not import bot.upstream.client "
        "(bot/turn/answer_state.py:1)",
    ),
    "a file opened in a thinking part": (
        {"bot/values.py": "TEXT = open('x').read()\n"},
        "bot.values only thinks, so it may not call open (bot/values.py:1)",
    ),
    "the time of day in a thinking part": (
        {"bot/values.py": "from datetime import UTC, datetime\nSTART = datetime.now(UTC)\n"},
        "bot.values only thinks, so it may not call now (bot/values.py:2)",
    ),
    "a circle": (
        {
            "bot/tools/a.py": "from bot.tools import b\n",
            "bot/tools/b.py": "import bot.tools.c\n",
            "bot/tools/c.py": "from .a import x\n",
        },
        "imports run in a circle: bot.tools.a → bot.tools.b → bot.tools.c → bot.tools.a",
    ),
    "a room without a floor": (
        {"bot/attic.py": ""},
        "attic has no floor in the plan (bot/attic.py)",
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


@pytest.mark.parametrize(("files", "said"), WRONG.values(), ids=WRONG.keys())
def test_a_planted_mistake_is_named(tmp_path: Path, files: dict[str, str], said: str) -> None:
    assert planted(tmp_path, files) == [said]


def test_a_house_in_order_is_left_in_peace(tmp_path: Path) -> None:
    files = {
        "bot/__init__.py": "",
        "bot/__main__.py": "from bot.cli import main\n",
        "bot/cli.py": "from bot import app, settings\nfrom .playground import server\n",
        "bot/app.py": "from bot.settings import load\nfrom bot.turn import answer\n",
        "bot/settings.py": "from bot.errors import SettingsError\nimport pydantic\n",
        "bot/turn/__init__.py": "",
        "bot/turn/answer.py": "from . import answer_state\nfrom bot.delivery import edits\n",
        "bot/turn/answer_state.py": "import dataclasses\nfrom bot.values import Draft\n",
        "bot/delivery/edits/reply.py": "from bot.slack import Slack\n",
        "bot/slack.py": "import slack_sdk\nfrom bot.errors import SlackError\n",
        "bot/values.py": "import enum\n",
        "bot/errors.py": "",
        "bot/playground/server.py": "import aiohttp\nfrom bot.playground import limits\n",
        "bot/playground/limits.py": "import math\n",
    }

    assert planted(tmp_path, files) == []


def test_the_thinking_parts_are_known_by_name() -> None:
    assert thinks("bot.render.split")
    assert thinks("bot.delivery.scheduling.edit_scheduler")
    assert not thinks("bot.delivery.edits.reply")
