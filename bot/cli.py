"""The command line. Reads settings, calls one room, says how it ended.

Exit codes: 0 well, 1 it could not be done, 2 settings are missing or wrong, 130 `bot ask` was
interrupted.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Coroutine
from contextlib import aclosing
from typing import Any

import click
import yaml

from bot import app
from bot.check import run_checks
from bot.errors import BotError, SettingsError, StorageAway, StorageError
from bot.manifest import manifest as build_manifest
from bot.observe import configure_logging
from bot.settings import Settings, in_the_open, load, missing_upstream_key
from bot.settings.secrets import secrets_of
from bot.storage.engine.database import open_database
from bot.upstream.events import Event, Failed, Finished, Reconnecting, Restarted, TextDelta
from bot.upstream.prompt import Prompt
from bot.values import Message
from bot.version import version

FAILED, WRONG_SETTINGS, INTERRUPTED = 1, 2, 130


@click.group(invoke_without_command=True)
@click.version_option(version(), message="bot %(version)s")
@click.pass_context
def main(context: click.Context) -> None:
    """Ask a language model from any Slack channel; the answer appears as it is written.

    Without a command: joins Slack when tokens are set, else opens the playground.
    """
    os.umask(0o077)  # what we write, databases above all, is for nobody else to read
    if context.invoked_subcommand is None:
        settings = _settings()
        slack = settings.slack
        joins = slack.bot_token or slack.app_token or slack.signing_secret
        context.invoke(run if joins else playground)


@main.command()
def run() -> None:
    """Join Slack and answer, until SIGTERM or Ctrl-C."""
    settings = _settings()
    configure_logging(settings.server.log_level, secrets_of(settings))
    _finish(app.run(settings))


@main.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="Port; a free one if it is taken.",
)
def playground(port: int) -> None:
    """Open a local Slack-like workspace in the browser, with a demo model."""
    from bot.playground.play import PlayConfig, play  # only this command needs it

    settings = _settings()
    upstream = settings.upstream
    config = PlayConfig(
        port=port,
        bot_command=[sys.executable, "-m", "bot", "run"],
        bot_env=dict(os.environ),
        upstream=upstream.base_url if upstream.api_key or upstream.is_own_server else None,
        model_name=upstream.model,
    )
    _finish(play(config, ready=_say_playground_is_open))


@main.command()
@click.argument("prompt", nargs=-1, required=True)
def ask(prompt: tuple[str, ...]) -> None:
    """Ask the configured model one PROMPT and stream the answer to the terminal."""
    settings = _settings()
    if missing := missing_upstream_key(settings):
        _give_up(SettingsError(missing))
    if settings.upstream.key_in_the_open:
        click.echo(in_the_open(settings)[0], err=True)
    sys.exit(_finish(_ask(settings, " ".join(prompt)), interrupted=INTERRUPTED))


@main.command()
def check() -> None:
    """Look at everything the bot needs, and say how to mend what is missing."""
    sys.exit(_finish(_check(_settings())))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="JSON instead of YAML.")
@click.option("--http", "url", metavar="URL", help="For HTTP mode: the bot's public https:// URL.")
def manifest(as_json: bool, url: str | None) -> None:
    """Print the Slack app manifest for this bot."""
    command = _settings().slack.slash_command
    made = build_manifest(command=command, socket_mode=url is None, url=url)
    click.echo(
        json.dumps(made, indent=2, ensure_ascii=False)
        if as_json
        else yaml.safe_dump(made, sort_keys=False, allow_unicode=True).rstrip()
    )


@main.command()
def migrate() -> None:
    """Bring the database to the form this version needs, as `bot run` does at its start."""
    click.echo(_finish(_migrate(_settings())))


async def _migrate(settings: Settings) -> str:
    async with open_database(settings.storage.database_url.get_secret_value()) as database:
        await database.check_writable()
        await database.migrate()
        return f"The database {database.display_url} is ready."


async def _ask(settings: Settings, text: str) -> int:
    """Stream one answer; what it wrote stays on the terminal also when it fails."""
    prompt = Prompt(settings.upstream.instructions, (Message("user", text),))
    async with app.open_upstream(settings) as upstream, aclosing(upstream.answer(prompt)) as events:
        written = ""
        async for event in events:
            written = _echo(event, written)
            if isinstance(event, Failed):
                click.echo(f"{event.error.sentence} ({event.error})", err=True)
                return FAILED
    return 0


def _echo(event: Event, written: str) -> str:
    """Print what the event adds; returns all that is printed of the present attempt."""
    match event:
        case TextDelta(text):
            click.echo(text, nl=False)
            return written + text
        case Finished(text):
            click.echo(text.removeprefix(written))
        case Failed() if written:
            click.echo()
        case Reconnecting(attempt, of, _, why):
            click.echo(f"\nReconnecting ({attempt}/{of}): {why}", err=True)
        case Restarted() if written:
            click.echo("\nThe answer starts again:", err=True)
            return ""
    return written


async def _check(settings: Settings) -> int:
    well = True
    async for finding in run_checks(settings):
        well = well and finding.well
        mark = click.style("✓", fg="green") if finding.well else click.style("✗", fg="red")
        click.echo(f"{mark} {finding.what:<18} {finding.detail}")
    return 0 if well else FAILED


def _say_playground_is_open(url: str) -> None:
    click.echo(f"The playground is open at {url}  (Ctrl-C ends it)")


def _settings() -> Settings:
    try:
        return load()
    except SettingsError as error:
        _give_up(error)
        raise


def _finish(work: Coroutine[Any, Any, Any], *, interrupted: int = 0) -> Any:
    """Run to the end; our own errors become their sentence and an exit code."""
    try:
        return asyncio.run(work)
    except BotError as error:
        _give_up(error)
    except KeyboardInterrupt:
        sys.exit(interrupted)
    return None


def _give_up(error: BotError) -> None:
    click.echo(str(error), err=True)
    wrong = isinstance(error, (SettingsError, StorageError)) and not isinstance(error, StorageAway)
    sys.exit(WRONG_SETTINGS if wrong else FAILED)
