"""Calls of the functions the bot offers, and what is said when they have answered."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bot.playground.model.conversation import Called, Conversation, Returned, Tool
from bot.playground.model.plan import Call, Plan, Thought, say
from bot.playground.model.script.reading import read
from bot.playground.model.script.topic import Topic, plain, topic

_SHOWN = 1500
_THOUGHT = "The bot can find that out better than I can."
_SUM = re.compile(
    r"(?:\d|\()[\d\s.,()*/+\u00d7\u00f7^%-]*[*/+\u00d7\u00f7^%-][\d\s.,()*/+\u00d7\u00f7^%-]*(?:\d|\))"
)


@dataclass(frozen=True, slots=True)
class Use:
    """When a function is called, and what with: `argument` goes into its first parameter."""

    when: re.Pattern[str]
    tool: str
    argument: Callable[[re.Match[str]], str | None]


def _use(pattern: str, tool: str, argument: Callable[[re.Match[str]], str | None]) -> Use:
    return Use(re.compile(pattern, re.IGNORECASE), tool, argument)


def _sum_in(found: re.Match[str]) -> str | None:
    """The calculation in the question, in signs a calculator knows."""
    sums = _SUM.findall(found.string)
    return (
        str.translate(max(sums, key=len).strip(), str.maketrans("\u00d7\u00f7", "*/"))
        if sums
        else None
    )


USES = (
    _use(
        r"\bwhat(?:'s| is) the (?:time|date)\b|\bwhat time is it\b|\bwhat day is\b|\btoday's date",
        "now",
        lambda _: "",
    ),
    _use(r"\b(?:calculate|compute|what(?:'s| is)|how much is)\b.*\d", "calculate", _sum_in),
    _use(r"\b(?:fetch|read|open|summari[sz]e)\b.*?(https?://\S+)", "fetch_page", lambda m: m[1]),
    _use(r"\bsearch (?:this|the) thread for (.+?)[.?!]*$", "search_thread", lambda m: m[1].strip()),
)


def _call(conversation: Conversation, _: re.Match[str]) -> Plan | None:
    """Every call the question asks for, at once; or what is missing for it."""
    wanted = list(_wanted(plain(conversation.question.text)))
    offered = {tool.name: tool for tool in conversation.tools}
    calls = [Call(name, _arguments(offered[name], arg)) for name, arg in wanted if name in offered]
    if calls:
        return Plan((Thought(_THOUGHT), *calls))
    return say(read("no_tools", tool=wanted[0][0])) if wanted else None


def _wanted(question: str) -> Iterable[tuple[str, str]]:
    for use in USES:
        found = use.when.search(question)
        argument = use.argument(found) if found else None
        if argument is not None:
            yield use.tool, argument


def _arguments(tool: Tool, argument: str) -> str:
    """The argument under the name the tool gives it; a required one is never left out."""
    names = tool.required or tool.parameters
    given = {names[0]: argument or "UTC"} if names and (argument or tool.required) else {}
    return json.dumps(given, ensure_ascii=False)


def report(conversation: Conversation) -> Plan:
    """What the functions gave, in words."""
    return say("\n\n".join(_told(called, given) for called, given in conversation.results))


def _told(called: Called, given: Returned) -> str:
    output = given.output.strip()
    if not output:
        return f"I asked the bot to run `{called.name}`, and it came back with nothing."
    shown = output if len(output) <= _SHOWN else output[:_SHOWN] + "…"
    if "\n" in shown or len(shown) > 120 or "`" in shown:
        fence = "`" * (max((len(run) for run in re.findall(r"`+", shown)), default=2) + 1)
        shown = f"\n\n{fence}text\n{shown}\n{fence}"
    else:
        shown = f" **{shown}**"
    return f"I asked the bot to run `{called.name}`, and it says:{shown}"


TOPICS: tuple[Topic, ...] = tuple(topic(use.when.pattern, _call) for use in USES)
