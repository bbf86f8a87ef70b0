"""The command line.

Exit codes: 0 success, 1 failure, 2 settings are missing or wrong, 130 `bot ask` was interrupted.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from typing import Any, get_args

import click

from bot import app
from bot.app.connections import open_upstream
from bot.app.event_loop import loop_factory
from bot.check import run_checks
from bot.errors import BotError, SettingsError, StorageError, StorageUnavailable
from bot.feedback_report import ExportFormat, export_votes, summary_table
from bot.manifest import build_manifest
from bot.observe import configure_logging
from bot.settings import Settings, load_settings, missing_key_problems, unencrypted_warnings
from bot.settings.secrets import secret_values
from bot.storage.engine.database import open_database
from bot.storage.migrating import is_newest
from bot.storage.votes import VoteStore
from bot.upstream.events import Event, Failed, Finished, Reconnecting, Restarted, TextDelta
from bot.upstream.prompt import Prompt
from bot.values import Message
from bot.version import version
from bot.words import Language, say

EXIT_FAILED, EXIT_WRONG_SETTINGS, EXIT_INTERRUPTED = 1, 2, 130


@click.group(invoke_without_command=True)
@click.version_option(version(), message="bot %(version)s")
@click.pass_context
def main(context: click.Context) -> None:
    """Ask a language model from any Slack channel; the answer appears as it is written.

    Without a command: joins Slack when tokens are set, else opens the playground.
    """
    os.umask(0o077)  # no other user may read the files that we write, such as databases
    if context.invoked_subcommand is None:
        settings = _load_settings()
        slack = settings.slack
        has_tokens = slack.bot_token or slack.app_token or slack.signing_secret
        context.invoke(run if has_tokens else playground)


@main.command()
def run() -> None:
    """Join Slack and answer, until SIGTERM or Ctrl-C."""
    settings = _load_settings()
    configure_logging(settings.server.log_level, secret_values(settings))
    _run_or_exit(app.run(settings))


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
    from bot.playground.play import PlayConfig, play  # only needed here

    settings = _load_settings()
    upstream = settings.upstream
    config = PlayConfig(
        port=port,
        bot_command=[sys.executable, "-m", "bot", "run"],
        bot_env=dict(os.environ),
        upstream=upstream.base_url if upstream.api_key or upstream.is_own_server else None,
        model_name=upstream.model,
    )
    _run_or_exit(play(config, ready=_print_playground_url))


@main.command()
@click.argument("prompt", nargs=-1, required=True)
def ask(prompt: tuple[str, ...]) -> None:
    """Ask the configured model one PROMPT and stream the answer to the terminal."""
    settings = _load_settings()
    if missing := missing_key_problems(settings):
        _exit_with_error(SettingsError(missing))
    if settings.upstream.sends_key_unencrypted:
        click.echo(unencrypted_warnings(settings)[0], err=True)
    sys.exit(_run_or_exit(_ask(settings, " ".join(prompt)), interrupt_exit_code=EXIT_INTERRUPTED))


@main.command()
def check() -> None:
    """Look at everything the bot needs, and say how to mend what is missing."""
    sys.exit(_run_or_exit(_check(_load_settings())))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="JSON instead of YAML.")
@click.option("--http", "url", metavar="URL", help="For HTTP mode: the bot's public https:// URL.")
def manifest(as_json: bool, url: str | None) -> None:
    """Print the Slack app manifest for this bot."""
    import yaml  # only needed here

    slack = _load_settings().slack
    content = build_manifest(
        command=slack.slash_command,
        socket_mode=url is None,
        url=url,
        follow_ups=slack.follow_ups != "off",
    )
    click.echo(
        json.dumps(content, indent=2, ensure_ascii=False)
        if as_json
        else yaml.safe_dump(content, sort_keys=False, allow_unicode=True).rstrip()
    )


@main.command()
def migrate() -> None:
    """Bring the database to the form this version needs, as `bot run` does at its start."""
    click.echo(_run_or_exit(_migrate(_load_settings())))


@main.group()
def feedback() -> None:
    """Read the votes of people on answers."""


_SINCE = click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="Only votes from this day on (UTC), such as 2026-01-31.",
)


@feedback.command()
@click.option(
    "--format",
    "export_format",
    type=click.Choice(get_args(ExportFormat)),
    default="jsonl",
    show_default=True,
    help="One JSON object in each line, or CSV with a header.",
)
@_SINCE
def export(export_format: ExportFormat, since: datetime | None) -> None:
    """Print all votes, oldest first, with what is known of their answers."""
    _run_or_exit(_export(_load_settings(), export_format, _seconds(since)))


@feedback.command()
@_SINCE
def summary(since: datetime | None) -> None:
    """Print how many votes are good, by model and version of the bot."""
    click.echo(_run_or_exit(_summarise(_load_settings(), _seconds(since))))


async def _export(settings: Settings, export_format: ExportFormat, since: float) -> None:
    async with _open_votes(settings) as votes:
        async for record in export_votes(votes, export_format, since):
            click.echo(record, nl=False)


async def _summarise(settings: Settings, since: float) -> str:
    async with _open_votes(settings) as votes:
        return summary_table(await votes.summarise(since))


@asynccontextmanager
async def _open_votes(settings: Settings) -> AsyncIterator[VoteStore]:
    """The votes of all workspaces. Nothing is written, and no table is changed."""
    async with open_database(settings.storage.database_url.get_secret_value()) as database:
        if not await database.read(is_newest):
            raise StorageError(
                f"The database {database.display_url} is not one of this version of the bot: "
                "run `bot migrate`, or set DATABASE_URL to the right one."
            )
        yield VoteStore(database)


def _seconds(day: datetime | None) -> float:
    return day.replace(tzinfo=UTC).timestamp() if day else 0.0


async def _migrate(settings: Settings) -> str:
    async with open_database(settings.storage.database_url.get_secret_value()) as database:
        await database.check_writable()
        await database.migrate()
        return f"The database {database.display_url} is ready."


async def _ask(settings: Settings, text: str) -> int:
    """Stream one answer to the terminal; returns the exit code."""
    prompt = Prompt(settings.upstream.instructions, (Message("user", text),))
    async with open_upstream(settings) as upstream, aclosing(upstream.answer(prompt)) as events:
        written = ""
        async for event in events:
            written = _echo(event, written)
            if isinstance(event, Failed):
                click.echo(
                    f"{say(Language.ENGLISH, event.error.user_message)} ({event.error})", err=True
                )
                return EXIT_FAILED
    return 0


def _echo(event: Event, written: str) -> str:
    """Print what an event adds; returns the whole text of the present attempt."""
    match event:
        case TextDelta(text):
            click.echo(text, nl=False)
            return written + text
        case Finished(text, no_text=why):
            click.echo(say(Language.ENGLISH, why) if why else text.removeprefix(written))
        case Failed() if written:
            click.echo()
        case Reconnecting(attempt, of, _, why):
            click.echo(f"\nReconnecting ({attempt}/{of}): {why}", err=True)
        case Restarted() if written:
            click.echo("\nThe answer starts again:", err=True)
            return ""
    return written


async def _check(settings: Settings) -> int:
    passed = True
    async for result in run_checks(settings):
        passed = passed and result.passed
        mark = click.style("✓", fg="green") if result.passed else click.style("✗", fg="red")
        click.echo(f"{mark} {result.subject:<18} {result.detail}")
    return 0 if passed else EXIT_FAILED


def _print_playground_url(url: str) -> None:
    click.echo(f"The playground is open at {url}  (Ctrl-C ends it)")


def _load_settings() -> Settings:
    try:
        return load_settings()
    except SettingsError as error:
        _exit_with_error(error)
        raise


def _run_or_exit(work: Coroutine[Any, Any, Any], *, interrupt_exit_code: int = 0) -> Any:
    """Run `work` and return its result; a BotError is printed and ends the process."""
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            return runner.run(work)
    except BotError as error:
        _exit_with_error(error)
    except KeyboardInterrupt:
        sys.exit(interrupt_exit_code)
    return None


def _exit_with_error(error: BotError) -> None:
    click.echo(str(error), err=True)
    wrong = isinstance(error, (SettingsError, StorageError)) and not isinstance(
        error, StorageUnavailable
    )
    sys.exit(EXIT_WRONG_SETTINGS if wrong else EXIT_FAILED)
