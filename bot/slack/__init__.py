"""The only door to Slack's Web API.

    client.py        every method we call, one function each; streams.py those of native streams
    calls.py         how a method is called
    bodies.py        how much of a reply is read
    identity.py      who our token is
    metadata_signer.py  metadata of messages that can be believed
    failures.py      every way a call can fail becomes one of three errors
    response_url.py  where a response_url may lead, and what its answers mean
    scopes.py        what the bot's token must be allowed to do
    websocket.py     one connection of Socket Mode
    threads.py       the newest part of a thread; messages.py single messages of one

When, how often and in which order something is called is none of this room's business.
"""

from bot.slack.calls import Blocks
from bot.slack.client import Slack, http_session
from bot.slack.identity import Identity
from bot.slack.scopes import SCOPES_BY_METHOD
from bot.slack.websocket import WebSocket

__all__ = ["SCOPES_BY_METHOD", "Blocks", "Identity", "Slack", "WebSocket", "http_session"]
