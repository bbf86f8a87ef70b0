"""Whether answers have feedback buttons: as configured, until Slack refuses their block."""

from __future__ import annotations

import logging

from bot.errors import SlackRefused

log = logging.getLogger(__name__)


class FeedbackButtons:
    """The feedback buttons of all answers of this process: shown or not."""

    def __init__(self, shown: bool) -> None:
        self.shown = shown

    def record_refused(self, error: SlackRefused) -> None:
        """Leave the buttons out from now on, because Slack took a message only without them."""
        if self.shown:
            log.warning(
                "Slack refused the feedback buttons; answers are shown without them until the "
                "next start. FEEDBACK=off avoids the attempt: %s",
                error,
            )
        self.shown = False
