"""The questions that are asked, and whether Slack shows exactly one whole answer to each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bot.playground.slack.records import Message
from bot.words import Phrase
from tests.e2e.bot.running import asked_by, markdown, status_text, upstream_text
from tests.support.words import english
from tests.unit.playground import live

Surface = Literal["mention", "dm", "command"]
SURFACES: tuple[Surface, ...] = ("mention", "dm", "command")
Shown = Mapping[str, Any]

_EMPHASIS = str.maketrans("", "", "*_`~")

BELOW = "The answer is below."
"""What a placeholder says whose text had to go out as the next message."""


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question that was asked. `ts` is its message's; a command has none."""

    surface: Surface
    channel: str
    text: str
    ts: str = ""
    user: str = live.YOU

    def __str__(self) -> str:
        return f"{self.surface}, {self.text}"


def ask(slack: live.LiveSlack, surface: Surface, text: str, channel: str = "") -> AskedQuestion:
    """Ask as a person would."""
    workspace = slack.workspace
    if surface == "command":
        channel = channel or live.RANDOM
        workspace.command(channel, "/ask", text)
        return AskedQuestion(surface, channel, text)
    channel = channel or (live.DM if surface == "dm" else live.GENERAL)
    said = workspace.say(channel, text if surface == "dm" else f"<@{live.BOT}> {text}")
    return AskedQuestion(surface, channel, text, said.ts)


def answer(slack: live.LiveSlack, asked: AskedQuestion) -> list[dict[str, Any]]:
    """The messages of its answer as they stand now, oldest first; notes of Slack's own left out."""
    workspace = slack.workspace
    if asked.surface == "command":
        return _private(slack, asked)
    found = [m for m in workspace.messages(asked.channel) if _answers(m, asked)]
    return [workspace.as_slack(m, metadata=True) for m in found]


def _private(slack: live.LiveSlack, asked: AskedQuestion) -> list[dict[str, Any]]:
    """What only the asker sees, in place, then what follows in their DM under no message of theirs;
    the acknowledgement is no part of it."""
    workspace = slack.workspace
    bot = workspace.bot.bot_id
    whispers = [m for m in workspace.whispers(asked.channel, asked.user) if m.bot_id == bot]
    dm = [m for m in workspace.messages(live.DM) if m.bot_id == bot]
    ours = {m.ts for m in dm}
    whispered = [shown for shown in map(workspace.as_slack, whispers) if markdown(shown)]
    rest = [m for m in dm if m.thread_ts is None or m.thread_ts in ours]
    return whispered + [workspace.as_slack(m, metadata=True) for m in rest]


def is_answered(slack: live.LiveSlack, asked: AskedQuestion) -> bool:
    """The whole text stands, and nothing says that more comes."""
    found = answer(slack, asked)
    ends = {_normalised("".join(map(markdown, found[start:]))) for start in range(len(found))}
    return _normalised(upstream_text(asked.text)) in ends and not any(
        _is_in_progress(one) for one in found
    )


def was_refused(slack: live.LiveSlack, asked: AskedQuestion) -> bool:
    """Slack itself told the person that the command did not get through: it is not sent again."""
    found = slack.workspace.whispers(asked.channel, asked.user)
    return asked.surface == "command" and any("failed with the error" in m.text for m in found)


def complaints(slack: live.LiveSlack, asked: AskedQuestion, posted: Sequence[str]) -> list[str]:
    """What is wrong with the answer to a question, one sentence each; none if all is well.

    `posted` are the messages of the bot that ever showed text below the question.
    """
    found = answer(slack, asked)
    if not found:
        return [] if was_refused(slack, asked) else ["lost: there is no answer"]
    wrong = [f"spinning: {status_text(one)!r}" for one in found if _is_in_progress(one)]
    wrong += [
        f"unfinished: {status_text(one)!r}"
        for one in found
        if not _is_in_progress(one) and _unexpected_note(one)
    ]
    if asked.surface == "command":
        return wrong + _private_complaints(found, asked)
    return wrong + _complaints(found, asked, posted)


def _complaints(found: Sequence[Shown], asked: AskedQuestion, posted: Sequence[str]) -> list[str]:
    wrong = _text_complaints("".join(map(markdown, found)), asked)
    standing = [one["ts"] for one in found if markdown(one)]
    if posted and standing[:1] != posted[:1]:
        wrong.append("moved: the answer does not stand in the message that showed its first text")
    parts = [part_of(one) for one in found]
    if parts != list(range(len(parts))):
        wrong.append(f"doubled: the parts that stand are {parts}")
    if len({turn_of(one) for one in found}) > 1:
        wrong.append("doubled: two turns answered")
    return wrong


def _private_complaints(found: Sequence[Shown], asked: AskedQuestion) -> list[str]:
    """An answer that may have been sent is sent again, and says so."""
    whispers = [one for one in found if one.get("is_ephemeral")]
    wrong = []
    if len(whispers) > 1 and not all(
        english(Phrase.POSSIBLE_DUPLICATE) in status_text(one) for one in whispers[1:]
    ):
        wrong.append(f"doubled: {len(whispers)} private answers")
    last = found[max(0, len(whispers) - 1) :]
    return wrong + _text_complaints("".join(map(markdown, last)), asked)


def _text_complaints(text: str, asked: AskedQuestion) -> list[str]:
    wanted, shown = _normalised(upstream_text(asked.text)), _normalised(text)
    if shown == wanted:
        return []
    if shown.count(wanted) > 1:
        return ["doubled: the text stands more than once"]
    return [f"cut: {len(shown)} of {len(wanted)} characters stand"]


def turn_of(message: Shown) -> str:
    """The turn that a message of the bot belongs to."""
    return str(_payload(message).get("turn", ""))


def part_of(message: Shown) -> int:
    """The number of the message in its answer, from 0."""
    return int(_payload(message).get("part", 0))


def _payload(message: Shown) -> Mapping[str, Any]:
    payload: Mapping[str, Any] = (message.get("metadata") or {}).get("event_payload") or {}
    return payload


def _answers(message: Message, asked: AskedQuestion) -> bool:
    return message.user == live.BOT and message.thread_ts == asked.ts


def _is_in_progress(message: Shown) -> bool:
    """Whether it looks as if more came: a Stop button, or nothing but a state."""
    blocks = message.get("blocks") or []
    pressed = (e.get("action_id") for b in blocks for e in b.get("elements", ()))
    return "answer_stop" in pressed or not (
        markdown(message) or _unexpected_note(message) or _is_below(message)
    )


def _unexpected_note(message: Shown) -> str:
    """What it says beside its text that no finished answer says."""
    said, who = status_text(message), asked_by(message)
    if who.startswith("<@"):
        said = said.removeprefix(who).strip()
    for fine in (
        BELOW,
        english(Phrase.MORE_IN_DM),
        english(Phrase.POSSIBLE_DUPLICATE),
        english(Phrase.EARLIER_USED),
        english(Phrase.THREAD_UNREAD),
        english(Phrase.DM_UNREAD),
        english(Phrase.NEWEST_UNREAD),
    ):
        said = said.replace(fine, "").strip()
    return said


def _is_below(message: Shown) -> bool:
    return message.get("text") == BELOW


def _normalised(text: str) -> str:
    """The text without spaces and emphasis: a cut between two messages takes the spaces at its
    edges, and closes and opens again what is open there."""
    return "".join(text.split()).translate(_EMPHASIS)
