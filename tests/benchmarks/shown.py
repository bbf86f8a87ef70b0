"""How many words of each answer stand in a Slack, from the calls it took."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tests.e2e.bot.running import markdown
from tests.unit.playground.live import ApiCall

STREAMED = ("chat.startStream", "chat.appendStream", "chat.stopStream")
WRITTEN = ("chat.postMessage", "chat.update")


class Shown:
    """Reads the calls as they come. The answers are told apart by the threads they stand in, which
    begin in the order of the questions. `words` are those each answer has in the end."""

    def __init__(self, words: Sequence[int]) -> None:
        self._words = words
        self._read = 0  # calls
        self._answers: dict[tuple[str, str], int] = {}  # channel and thread → number
        self._threads: dict[str, tuple[str, str]] = {}  # message → channel and thread
        self._texts: list[dict[str, str]] = [{} for _ in words]  # message → text
        self._seen: list[list[tuple[float, int]]] = [[] for _ in words]

    def history(self, n: int) -> list[tuple[float, int]]:
        """(time, words) of the n-th answer as they stood after each change."""
        return self._seen[n]

    def are_whole(self, calls: Sequence[ApiCall]) -> bool:
        """Read new calls; whether all answers stand whole now."""
        for call in calls[self._read :]:
            if call.ok and call.method in (*STREAMED, *WRITTEN, "chat.delete"):
                self._take(call)
        self._read = len(calls)
        return all(
            seen and seen[-1][1] >= words
            for seen, words in zip(self._seen, self._words, strict=True)
        )

    def _take(self, call: ApiCall) -> None:
        ts = str(call.args.get("ts") or call.reply["ts"])
        if "thread_ts" in call.args:
            self._threads[ts] = (call.args["channel"], call.args["thread_ts"])
        n = self._answers.setdefault(self._threads[ts], len(self._answers))
        texts = self._texts[n]
        if call.method in WRITTEN:
            texts[ts] = markdown(call.args)
        elif call.method in STREAMED:
            texts[ts] = texts.get(ts, "") + str(call.args.get("markdown_text") or "")
        else:
            texts.pop(ts, None)
        self._seen[n].append((call.at, sum(map(_count, texts.values()))))


def _count(text: str) -> int:
    return len(re.findall(r"\S*\w\S*", text))
