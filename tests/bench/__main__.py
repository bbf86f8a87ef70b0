"""Every benchmark, or one room's.

python -m tests.bench [upstream | delivery [scenario …]]
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tests.bench import delivery, upstream


def main(arguments: Sequence[str]) -> None:
    """Run what the arguments name."""
    room, *scenarios = arguments or ("all",)
    if room in {"all", "upstream"}:
        upstream.main()
    if room == "all":
        sys.stdout.write("\n")
    if room in {"all", "delivery"}:
        delivery.main(scenarios)


if __name__ == "__main__":
    main(sys.argv[1:])
