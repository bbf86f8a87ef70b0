"""What the documents say that the code knows: written by `make docs`, compared by the tests."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import chain, groupby
from types import NoneType
from typing import get_args

from annotated_types import Ge, Le
from click.testing import CliRunner
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from bot.cli import main
from bot.manifest import EXAMPLE_URL
from bot.settings import variables
from tests.support.project import ROOT

BEGIN, END = "<!-- settings: written by `make docs` -->", "<!-- end of settings -->"
LONGEST_IN_TABLE = 50
SETTINGS = "docs/settings.md"
MANIFESTS = {
    "deploy/manifest.socket.yaml": ["manifest"],
    "deploy/manifest.http.yaml": ["manifest", "--http", EXAMPLE_URL],
}
HEAD = """\
# Settings of the bot, from bot/settings by `make docs`. Copy this file to .env.
# Fill in what is empty and needed; a line behind # shows a default. A real variable wins over .env.
"""


def default(field: FieldInfo) -> str:
    """The default as it is written in .env; "" where there is none."""
    value = field.default
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value is None else str(value)


def meaning(field: FieldInfo) -> str:
    """The description, with the values or the range that are allowed."""
    return "; ".join(filter(None, [field.description, _values(field) or _range(field)]))


def _values(field: FieldInfo) -> str:
    parts = get_args(field.annotation)
    if NoneType in parts:
        parts = tuple(chain.from_iterable(map(get_args, parts)))
    values = [v for v in parts if isinstance(v, str)]
    return "one of " + ", ".join(f"`{value}`" for value in values) if values else ""


def _range(field: FieldInfo) -> str:
    least = [m.ge for m in field.metadata if isinstance(m, Ge)]
    most = [m.le for m in field.metadata if isinstance(m, Le)]
    return f"{least[0]} to {most[0]}" if least and most else ""


def env_example() -> str:
    """`.env.example`, whole."""
    return "\n".join([HEAD, *_env_lines()])


def _env_lines() -> Iterator[str]:
    for group, members in groupby(variables(), key=lambda v: v[0]):
        yield f"# ---- {group.__doc__} ----\n"
        for _, name, field in members:
            yield f"# {meaning(field)}"
            value = default(field)
            quoted = f'"{value}"' if " " in value else value
            yield f"#{name}={quoted}\n" if value else f"{name}=\n"


def settings_table() -> str:
    """The table of settings."""
    return "\n".join(["| Variable | Default | Meaning |", "|---|---|---|", *_rows()])


def _rows() -> Iterator[str]:
    for group, members in groupby(variables(), key=lambda v: v[0]):
        yield f"| **{group.__doc__}** | | |"
        for _, name, field in members:
            value = default(field)
            shown = f"`{value}`" if value else "none"
            if len(value) > LONGEST_IN_TABLE:
                shown = "in `.env.example`"
            yield f"| `{name}` | {shown} | {meaning(field).replace('|', chr(92) + '|')} |"


def settings() -> str:
    """`docs/settings.md` with its table brought up to date."""
    text = (ROOT / SETTINGS).read_text(encoding="utf-8")
    return between(text, BEGIN, settings_table(), END)


def between(text: str, begin: str, new: str, end: str) -> str:
    """The text with what stands between two lines replaced."""
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{new}\n{end}{after}"


def printed(arguments: list[str]) -> str:
    """What `bot` prints for these arguments, with the default slash command."""
    result = CliRunner().invoke(main, arguments, env={"SLASH_COMMAND": "/ask"})
    assert result.exit_code == 0, result.output
    return result.output


@cache
def documents() -> dict[str, str]:
    """Every document that is written from the code: path and text."""
    return {
        ".env.example": env_example(),
        SETTINGS: settings(),
        **{path: printed(arguments) for path, arguments in MANIFESTS.items()},
    }


if __name__ == "__main__":
    for path, text in documents().items():
        (ROOT / path).write_text(text, encoding="utf-8")
