"""Every benchmark in virtual or CPU time, or one alone; those of the whole bot take minutes.

python -m tests.bench [upstream | delivery [scenario …] | live | whole]
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tests.bench import delivery, live, upstream, whole


def main(arguments: Sequence[str]) -> None:
    """Run what the arguments name."""
    room, *scenarios = arguments or ("all",)
    if room in {"all", "upstream"}:
        upstream.main()
    if room == "all":
        sys.stdout.write("\n")
    if room in {"all", "delivery"}:
        delivery.main(scenarios)
    if room == "live":
        live.main()
    if room == "whole":
        whole.main()


if __name__ == "__main__":
    main(sys.argv[1:])
