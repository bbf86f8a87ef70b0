"""Keeps full garbage collections short."""

from __future__ import annotations

import gc


def freeze_startup_objects() -> None:
    """Exclude all objects that exist now from garbage collection. Call it once, after the start.

    Modules, classes and tables live as long as the process. With them a full collection took a
    tenth of a second, during which the event loop stood still.
    """
    gc.collect()
    gc.freeze()
