"""Slack's Web API, `response_url`s and Socket Mode connections. All calls to Slack go through here.

    client.py           `Slack`: each Web API method that we call, as a method
    calls.py            makes a call, counts it, and translates its failure
    failures.py         exceptions and replies of Slack as one of three errors (pure)
    bodies.py           limits the size of replies
    files.py            what Slack says of a file, and its content
    identity.py         the bot's user, team and scopes, from `auth.test`
    metadata_signer.py  signs metadata of our messages and drops what others wrote
    read_limit.py       the interface of the limit that calls which read messages keep to
    response_url.py     which hosts are trusted, and what a reply means (pure)
    scopes.py           scopes that each method needs
    threads.py          reads the newest part of a thread
    messages.py         reads single messages of a thread
    websocket.py        one Socket Mode connection

Nothing is retried here, and only calls that read messages are rate-limited, by a limit that the
caller sets: otherwise the callers decide when and how often they call.
"""

from bot.slack.calls import Blocks
from bot.slack.client import Slack, http_session
from bot.slack.identity import Identity
from bot.slack.scopes import SCOPES_BY_METHOD
from bot.slack.websocket import WebSocket

__all__ = ["SCOPES_BY_METHOD", "Blocks", "Identity", "Slack", "WebSocket", "http_session"]
