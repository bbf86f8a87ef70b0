"""Asynchronous tests of this folder run in virtual time: whatever they wait for comes at once."""

from __future__ import annotations

from tests.support.virtual_time import virtual_time


def pytest_asyncio_loop_factories(config: object, item: object) -> object:
    """Give every test a loop of its own whose clock is virtual."""
    return virtual_time()
