"""Every benchmark in virtual or CPU time, or one alone; `live` takes a minute of real time.

python -m tests.bench [upstream | delivery [scenario …] | live]
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tests.bench import delivery, live, upstream


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


if __name__ == "__main__":
    main(sys.argv[1:])
