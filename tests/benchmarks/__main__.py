"""Every benchmark in virtual or CPU time, or one alone; those of the whole bot take minutes.

python -m tests.benchmarks [upstream | streams | whole | peer | storage | own-events]
python -m tests.benchmarks [delivery | live] [scenario …]
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tests.benchmarks import delivery, live, own_events, peer, storage, streams, upstream, whole


def main(arguments: Sequence[str]) -> None:
    """Run what the arguments name."""
    room, *scenarios = arguments or ("all",)
    if room in {"all", "upstream"}:
        upstream.main()
    if room == "all":
        sys.stdout.write("\n")
    if room in {"all", "delivery"}:
        delivery.main(scenarios)
    if room in {"all", "streams"}:
        streams.main()
    if room == "live":
        live.main(scenarios)
    if room == "whole":
        whole.main()
    if room == "peer":
        peer.main()
    if room == "storage":
        storage.main()
    if room == "own-events":
        own_events.main()


if __name__ == "__main__":
    main(sys.argv[1:])
