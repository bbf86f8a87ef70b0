"""The JSON of a Responses event, decoded no further than necessary. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

ABSENT = msgspec.Raw()


class WireEvent(msgspec.Struct, gc=False):
    """The fields of all Responses events that are used; absent ones are None.

    Objects stay undecoded until they are needed: some servers repeat the whole response in every
    event.
    """

    type: Any = None
    sequence_number: Any = None
    item_id: Any = None
    output_index: Any = None
    content_index: Any = None
    delta: Any = None
    text: Any = None
    refusal: Any = None
    code: Any = None
    message: Any = None
    param: Any = None
    error: Any = None
    item: msgspec.Raw = ABSENT
    response: msgspec.Raw = ABSENT
    annotation: msgspec.Raw = ABSENT


WIRE_EVENT_DECODER = msgspec.json.Decoder(WireEvent)
