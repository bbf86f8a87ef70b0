"""The answer that tests of the session ask for, with its pieces and paths."""

from __future__ import annotations

from itertools import accumulate

from tests.unit.upstream.fake_model_server import Cut, CutKind, FakeModelServer

PIECES = ["Otters ", "hold ", "hands ", "while ", "they ", "sleep."]
TEXT = "".join(PIECES)
ASK, RESUME, POLL = "POST /responses", "GET /responses/resp_1", "GET /responses/resp_1"
CANCEL = "POST /responses/resp_1/cancel"
ASKED_TO_WAIT = "the model's server asked us to wait"
HAD_A_PROBLEM = "the model's server had a problem"
BROKE_OFF = "the connection broke off"


def bytes_of_events(service: FakeModelServer, events: int) -> int:
    """Return how many bytes that many events of a background stream have."""
    return list(accumulate(map(len, service.resumable)))[events - 1]


def resumable_server(how: CutKind = "eof", events: int = 5, times: int = 1) -> FakeModelServer:
    """Return a service whose first streams break off after so many events."""
    service = FakeModelServer(PIECES)
    service.cuts.append(Cut(bytes_of_events(service, events), how))
    service.cuts.extend(Cut(40, how) for _ in range(times - 1))
    return service
