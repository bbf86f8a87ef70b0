"""Refusals of Slack: the `error` of a Web API reply, with the messages that go with it."""

from __future__ import annotations

from bot.playground.slack.records import Json


class Refused(Exception):
    """A request Slack understands and refuses. `extra` goes into the answer's body as it is."""

    def __init__(self, code: str, *messages: str, **extra: object) -> None:
        super().__init__(code)
        self.code = code
        self.messages = messages
        self.extra = extra

    def body(self) -> Json:
        """The body of the answer; problems are told twice, as Slack does."""
        body: Json = {"ok": False, "error": self.code, **self.extra}
        if self.messages:
            texts = [f"[ERROR] {message}" for message in self.messages]
            body["response_metadata"] = {"messages": texts}
        if self.messages and self.code == "invalid_blocks":
            body["errors"] = list(self.messages)
        return body
