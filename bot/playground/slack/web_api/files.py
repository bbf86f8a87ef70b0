"""`files.*`: what Slack says of a file.

https://docs.slack.dev/reference/methods/files.info
"""

from __future__ import annotations

from bot.playground.slack.call import Call, Method, Methods
from bot.playground.slack.records import Json
from bot.playground.slack.refused import Refused


def info(call: Call) -> Json:
    """One file."""
    found = call.workspace.files.info(str(call.need("file")))
    if found is None:
        raise Refused("file_not_found")
    return {"file": found, "comments": [], "response_metadata": {"next_cursor": ""}}


METHODS: Methods = {"files.info": Method(info, ("files:read",), reads_json=False)}
