"""What every folder's tests may ask for."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

from tests.support.postgres import postgres

__all__ = ["postgres"]

# A deadline for each example measures how busy the machine is, not our code. CI tries the same
# examples every time, so that it fails only for what a change has changed; others are looked for
# wherever developers run the tests.
settings.register_profile("bot", deadline=None, derandomize="CI" in os.environ, print_blob=True)
settings.load_profile("bot")

# Of the random examples each test asks for, how many per cent are tried. `make test-fast` takes
# fewer; a test's own examples (`@example`) are always tried.
EXAMPLES_PERCENT = int(os.environ.get("EXAMPLES_PERCENT", "100"))
FEWEST_EXAMPLES = 5
_SETTINGS = "_hypothesis_internal_use_settings"  # where Hypothesis keeps what `@settings` said


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Thin out the random examples."""
    if EXAMPLES_PERCENT == 100:
        return
    for test in {getattr(item, "obj", None) for item in items if hasattr(item, "obj")}:
        function = getattr(test, "__func__", test)
        if getattr(function, "is_hypothesis_test", False):
            asked = getattr(function, _SETTINGS, settings())
            few = max(FEWEST_EXAMPLES, asked.max_examples * EXAMPLES_PERCENT // 100)
            setattr(function, _SETTINGS, settings(asked, max_examples=few))
