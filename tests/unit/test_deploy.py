"""What an operator installs agrees with the code: image, compose file, unit, locks, Makefile."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.observe import Metrics
from bot.server import health_routes, make_application
from bot.settings import variables
from tests.support.local_server import serve_app
from tests.support.project import ROOT

DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
INSTRUCTIONS = re.findall(
    r"^([A-Z]+)\s+(.+)$", re.sub(r"\\\n\s*|^#.*\n", "", DOCKERFILE, flags=re.M), re.M
)
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text("utf-8"))
UNIT = (ROOT / "deploy" / "bot.service").read_text(encoding="utf-8")
FIELDS = {name: field for _, name, field in variables()}
PIN = re.compile(r"^([\w.-]+)==(\S+)", re.M)


def given(instruction: str, text: str = "") -> list[str]:
    """The arguments of an instruction of the Dockerfile, wherever it stands."""
    return [rest for name, rest in INSTRUCTIONS if name == instruction and text in rest]


def test_image_copies_files_that_exist_and_are_not_ignored() -> None:
    sources = [s for rest in given("COPY") if "--from" not in rest for s in rest.split()[:-1]]
    let_in = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text("utf-8"), re.M)

    assert sources
    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert sorted(sources) == sorted(let_in)


def test_image_installs_only_locked_packages() -> None:
    installs = given("RUN", "install")
    from_lock = [run for run in installs if "requirements.lock" in run]

    assert len(from_lock) == 1
    assert "--require-hashes" in from_lock[0]
    assert "--only-binary" in from_lock[0]
    assert all("--no-deps" in run for run in installs if '"/src"' in run)


def test_image_runs_the_bot_without_root_or_a_shell() -> None:
    final = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]

    assert int(given("USER")[0].split(":")[0]) > 0
    assert final.index("USER") < final.index("ENTRYPOINT")
    assert json.loads(given("ENTRYPOINT")[0]) == ["bot"]
    assert json.loads(given("CMD")[0]) == ["run"]
    assert all(run.startswith("[") for run in given("RUN")), "exec form needs no shell"
    assert given("STOPSIGNAL") == ["SIGTERM"]


def health_check() -> list[str]:
    """The command that the container's health is asked with."""
    command: list[str] = json.loads(given("HEALTHCHECK")[0].partition("CMD ")[2])
    return command


async def _ask_health(port: int) -> int:
    program, *arguments = health_check()
    process = await asyncio.create_subprocess_exec(
        shutil.which(program) or program,
        *arguments,
        env={**os.environ, "PORT": str(port)},
        stderr=asyncio.subprocess.DEVNULL,
    )
    return await process.wait()


async def test_health_check_tells_a_live_bot_from_a_dead_one() -> None:
    async with serve_app(make_application(*health_routes(Metrics(), {}))) as origin:
        port = int(origin.rpartition(":")[2])
        assert await _ask_health(port) == 0
    assert await _ask_health(port) != 0


def test_settings_named_by_image_and_compose_exist() -> None:
    in_image = {pair.split("=")[0] for rest in given("ENV") for pair in rest.split()}
    in_compose = set(COMPOSE["services"]["bot"]["environment"])
    of_others = {name for name in in_image if name.startswith(("PIP_", "PYTHON"))} | {"PATH"}

    assert in_image - of_others <= set(FIELDS)
    assert in_compose <= set(FIELDS)


def test_compose_file_restricts_the_container() -> None:
    bot = COMPOSE["services"]["bot"]

    assert bot["read_only"] is True
    assert bot["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in bot["security_opt"]
    assert all(port.startswith("127.0.0.1:") for port in bot["ports"])
    assert (ROOT / "deploy" / bot["build"]["context"] / bot["build"]["dockerfile"]).is_file()


def test_database_is_stored_on_the_volume() -> None:
    mounted = {volume.split(":")[1] for volume in COMPOSE["services"]["bot"]["volumes"]}
    relative = FIELDS["DATABASE_URL"].default.get_secret_value()

    assert given("WORKDIR") == given("VOLUME") == sorted(mounted) == ["/data"]
    assert "///" in relative
    assert "////" not in relative, "the default must be relative to the working folder"


def test_named_volumes_and_the_postgres_profile_are_declared() -> None:
    services = COMPOSE["services"]
    used = {volume.split(":")[0] for s in services.values() for volume in s["volumes"]}

    assert used == set(COMPOSE["volumes"])
    assert services["postgres"]["profiles"] == ["postgres"]
    assert services["bot"]["depends_on"]["postgres"]["required"] is False


def test_stop_timeouts_are_longer_than_the_grace_period() -> None:
    grace = FIELDS["GRACE_SECONDS"].default

    assert int(COMPOSE["services"]["bot"]["stop_grace_period"].rstrip("s")) > grace + 5
    assert int(_unit("TimeoutStopSec")[0]) > grace + 5


def _unit(key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", UNIT, re.M)


def test_unit_starts_the_bot_without_privileges() -> None:
    assert _unit("ExecStart") == ["/opt/bot/.venv/bin/bot run"]
    assert _unit("DynamicUser") == _unit("NoNewPrivileges") == ["yes"]
    assert _unit("ProtectSystem") == ["strict"]
    assert _unit("StateDirectory") == ["bot"]
    assert _unit("WorkingDirectory") == ["%S/bot"]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not here")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "bot.service"
    unit.write_text(UNIT.replace(_unit("ExecStart")[0], "/bin/true"), encoding="utf-8")

    verified = _run("systemd-analyze", "verify", str(unit))
    exposed = _run("systemd-analyze", "security", "--offline=true", "--threshold=20", str(unit))

    assert (verified.returncode, verified.stderr) == (0, "")
    assert exposed.returncode == 0, exposed.stdout[-300:]


def _run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the project's folder; a `make` in it knows of no other around it."""
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "MAKEFLAGS": "", "MAKELEVEL": "0", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _pins(lock: str) -> set[tuple[str, str]]:
    return set(PIN.findall((ROOT / lock).read_text(encoding="utf-8")))


def test_development_lock_has_every_version_of_the_runtime_lock() -> None:
    runs, develops = _pins("requirements.lock"), _pins("requirements-dev.lock")

    assert runs
    assert runs <= develops


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_locked_versions_all_have_hashes(lock: str) -> None:
    entries = re.split(r"\n(?=\S)", (ROOT / lock).read_text(encoding="utf-8").strip())

    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


def test_ci_is_a_script_that_ends_with_checks_and_tests() -> None:
    script = ROOT / ".ci" / "run"

    assert _run("bash", "-n", str(script)).returncode == 0
    assert os.access(script, os.X_OK)
    assert script.read_text(encoding="utf-8").split("\n")[-3:] == ["make check", "make test", ""]


needs_make = pytest.mark.skipif(not shutil.which("make"), reason="make is not here")


@needs_make
def test_make_alone_says_what_there_is() -> None:
    said = _run("make")

    assert said.returncode == 0
    for target in ("run", "test", "check", "bench", "help"):
        assert f"  make {target} " in said.stdout


@needs_make
@pytest.mark.parametrize(
    ("python", "sentence"),
    [
        ("exit 1", "The bot needs Python 3.11 or newer"),
        ('[ "$1" = -c ]', "can't make a virtual environment here"),
    ],
    ids=["too old", "without venv"],
)
def test_make_run_says_in_a_sentence_what_python_lacks(
    tmp_path: Path, python: str, sentence: str
) -> None:
    folder, tools = tmp_path / "a folder", tmp_path / "tools"
    folder.mkdir()
    tools.mkdir()
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, folder)
    (tools / "python3").write_text(f"#!/bin/sh\n{python}\n", encoding="utf-8")
    (tools / "python3").chmod(0o755)
    make = shutil.which("make") or ""

    said = _run(make, "-C", str(folder), "run", PATH=str(tools))

    sentences = [line for line in said.stderr.splitlines() if not line.startswith("make:")]
    assert said.returncode == 2
    assert len(sentences) == 1
    assert sentence in sentences[0]
