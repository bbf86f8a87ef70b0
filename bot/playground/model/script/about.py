"""The bot itself: what it is, what it promises, how to set it up, what to try."""

from __future__ import annotations

import re

from bot.playground.model.conversation import Conversation
from bot.playground.model.plan import Plan, say
from bot.playground.model.script.reading import read
from bot.playground.model.script.topic import Topic, addressed, short, text, topic

_SHOWN = 600


def _greet(conversation: Conversation, _: re.Match[str]) -> Plan:
    return say(read("hello", name=addressed(conversation)))


def _help(_: Conversation, __: re.Match[str]) -> Plan:
    return say(read("help"))


def _instructions(conversation: Conversation, _: re.Match[str]) -> Plan:
    told = conversation.instructions or _system(conversation)
    if not told:
        return say("I was sent none. What the bot tells its model is the setting `INSTRUCTIONS`.")
    quoted = "\n".join(f"> {line}" for line in told[:_SHOWN].splitlines())
    return say(f"With your question the bot sent me these instructions:\n\n{quoted}")


def _system(conversation: Conversation) -> str:
    said = (turn for turn in conversation.turns if getattr(turn, "role", "") == "system")
    return "\n".join(getattr(turn, "text", "") for turn in said)


def _model(conversation: Conversation, _: re.Match[str]) -> Plan:
    return say(
        f"I answer to the name `{conversation.model}`, because that is what `UPSTREAM_MODEL` says. "
        "In truth I'm the **demo model** of the playground, a script. "
        "Ask me `how do I use a real model?` for the other kind."
    )


TOPICS: tuple[Topic, ...] = (
    short(
        r"(?:hi|hello|hey|hallo|hola|good (?:morning|afternoon|evening|day))(?: there|,? bot)?"
        r"|start|test(?:ing)?|ping",
        _greet,
    ),
    short(r"help(?: me)?|\?|commands|menu", _help),
    text(r"\bwhat can (?:you|i|it)\b|\bwhat else\b", "help"),
    text(r"\bpromises?\b|\b(?:never|nothing) (?:lost|twice)", "promises"),
    text(r"\brate.?limit|\bslack's limits\b|\b429\b", "limits"),
    text(r"\bfaults?\b|\bpanel\b|\bcrash (?:the|this) bot\b|\bwhat can break\b", "faults"),
    text(r"\breal model\b|\bapi key\b|\b(?:use|with) (?:openai|tokenlab|claude|gpt)", "real_model"),
    text(
        r"\b(?:connect|set ?up|install|add|join)\b.*\b(?:slack|workspace|bot|this|it)\b"
        r"|\breal slack\b|\bmanifest\b|^connect$",
        "connect",
    ),
    text(r"\bbuttons?\b|\bregenerate\b|\bfeedback\b", "buttons"),
    text(r"(?:^|\s)/ask\b|\bslash\b", "slash"),
    text(
        r"\bprivacy\b|\bmy data\b|\bis (?:this|it) private\b|\bwho (?:can )?(?:see|read)", "privacy"
    ),
    topic(r"\b(?:your|my|the) instructions\b|\bsystem prompt\b", _instructions),
    topic(r"\b(?:which|what) model\b|\bmodel are you\b|\byour model\b", _model),
    text(r"\bstream(?:s|ing|ed)?\b|\blive edits?\b", "streaming"),
    text(r"\bare you (?:an? )?(?:real|chatgpt|gpt|human|ai|llm|script|demo)|\bdemo\b", "scripted"),
    text(r"\b(?:who|what) are you\b|\b(?:this|the) bot\b|\babout you(?:rself)?\b", "about"),
    text(r"\bthank(?:s| you)\b|\bthx\b|\bwell done\b|\bgreat job\b", "thanks"),
    text(r"^(?:good)?bye\b|\bsee you\b|\bgood night\b", "bye"),
)
