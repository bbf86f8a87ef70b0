"""The version is written once, and said the same wherever it is asked."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import aiohttp
import pytest

from bot import version as module
from tests.e2e.bot.running import running_system
from tests.support.project import ROOT
from tests.unit.test_cli import bot

WRITTEN: str = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]


async def test_version_of_the_project_is_shown_by_a_running_bot(tmp_path: Path) -> None:
    async with running_system(tmp_path) as it, aiohttp.ClientSession() as session:
        started = await it.bot.said("ready")
        async with session.get(f"{it.health}/healthz") as answer:
            status, health = answer.status, await answer.json()
        async with session.get(f"{it.health}/metrics") as answer:
            metrics = await answer.text()

    assert started["version"] == WRITTEN
    assert (status, health) == (200, {"ok": True, "version": WRITTEN})
    assert f'bot_info{{version="{WRITTEN}"}} 1.0' in metrics.splitlines()


async def test_version_option_needs_no_settings(tmp_path: Path) -> None:
    ended = await bot(tmp_path, "--version", PORT="http")

    assert (ended.code, ended.out, ended.err) == (0, f"bot {WRITTEN}\n", "")


ASK = """
import sys
sys.path.insert(0, sys.argv[1])
from bot.version import version
print(version())
"""
TREE = {"pyproject.toml": '[project]\nname = "bot"\nversion = "1.2.3"\n'}
INSTALLED = {"bot-4.5.6.dist-info/METADATA": "Metadata-Version: 2.4\nName: bot\nVersion: 4.5.6\n"}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        pytest.param(TREE, "1.2.3", id="a source tree"),
        pytest.param(INSTALLED, "4.5.6", id="an installation"),
        pytest.param(TREE | INSTALLED, "1.2.3", id="an editable installation of another version"),
        pytest.param(
            {"pyproject.toml": '[project]\nname = "other"\nversion = "7"\n'} | INSTALLED,
            "4.5.6",
            id="another project's file beside the package",
        ),
        pytest.param({"pyproject.toml": "["} | INSTALLED, "4.5.6", id="a broken file"),
        pytest.param({"pyproject.toml": "[tool]\n"}, "unknown", id="a file without a project"),
        pytest.param({}, "unknown", id="a bare copy"),
    ],
)
def test_version_is_found_in_the_source_tree_or_the_metadata(
    tmp_path: Path, files: dict[str, str], said: str
) -> None:
    (tmp_path / "bot").mkdir()
    shutil.copy(module.__file__, tmp_path / "bot")
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import bot.version as v; print(v.version())"
    )
    alone = [sys.executable, "-I", "-S", "-c", code, str(tmp_path)]  # sees nothing installed

    assert subprocess.run(alone, capture_output=True, text=True, check=True).stdout == f"{said}\n"
