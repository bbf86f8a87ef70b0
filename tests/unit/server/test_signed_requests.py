"""What costs nothing and is not heard: requests without Slack's signature, and signed ones that
are no payload."""

from __future__ import annotations

import gzip
import json
import logging
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.server.signed_requests import (
    MAX_BODY_BYTES,
    RequestRefused,
    bolt_request,
    is_recent,
    signature_of,
)
from tests.unit.server.server_setup import MentionRecorder, SlackCaller, mention, running_server

FORM = "application/x-www-form-urlencoded"
DEEP = b'{"type":"x","a":' + b"[" * 200_000 + b"]" * 200_000 + b"}"
NESTED = b'{"type":"x","a":' + b"[" * 101 + b"]" * 101 + b"}"


@pytest.fixture
def recorder() -> MentionRecorder:
    return MentionRecorder()


@pytest.fixture
async def caller(recorder: MentionRecorder) -> AsyncIterator[SlackCaller]:
    async with running_server(recorder, {}) as caller:
        yield caller


COSTLY = [
    pytest.param(b"xn--" + b"a" * 300_000, "text/plain; charset=punycode", id="punycode"),
    pytest.param(b"a" * 300_000, "application/json; charset=idna", id="idna"),
    pytest.param(b"a" * 1000, "application/json; charset=nonsense", id="an unknown charset"),
    pytest.param(b"+AAA" * 50_000, f"{FORM}; charset=utf-7", id="utf-7"),
    pytest.param(b"a" * 1000, "application/json; charset=zlib_codec", id="no charset of text"),
    pytest.param(b"\xff" * 1000, "application/json; charset=utf-16", id="utf-16"),
    pytest.param(DEEP, "application/json", id="deep JSON"),
    pytest.param(b"payload=" + DEEP, FORM, id="deep JSON in a form"),
    pytest.param(b"a=1&" * 250_000, FORM, id="many fields"),
    pytest.param(b"command=/ask" + b"&a=1" * 100, FORM, id="more fields than a command has"),
    pytest.param(b"payload={}" + b"&a=1" * 100, FORM, id="more fields than a press has"),
    pytest.param(NESTED, "application/json", id="JSON deeper than Slack's"),
    pytest.param(b"payload=" + NESTED, FORM, id="JSON deeper than Slack's in a form"),
    pytest.param(b"1" * 500_000, "application/json", id="a long number"),
    pytest.param(b"{}", ";;;=" * 1500, id="a strange content type"),
]


@pytest.mark.parametrize(("body", "content_type"), COSTLY)
@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
async def test_expensive_body_is_refused_at_once_and_logged_at_debug(
    caller: SlackCaller,
    recorder: MentionRecorder,
    body: bytes,
    content_type: str,
    signed: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    await caller.get("/healthz")  # the connection stands
    caplog.clear()  # of what Bolt says when it is made
    used = time.process_time()
    status, _ = await caller.post(
        body, content_type=content_type, secret="" if not signed else "signing-secret"
    )
    used = time.process_time() - used
    assert status == (400 if signed else 401)
    assert used < 0.25  # both ends of the connection are in this process
    assert recorder.mentions == []
    assert [r for r in caplog.records if r.levelno > logging.INFO] == []


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"X-Slack-Request-Timestamp": "1" * 5000}, id="a long stamp"),
        pytest.param({"X-Slack-Request-Timestamp": "-1"}, id="a negative stamp"),
        pytest.param({"X-Slack-Request-Timestamp": "1e9"}, id="a float"),
        pytest.param({"X-Slack-Signature": "v0=\u00e9"}, id="a signature that is no ASCII"),
        pytest.param({"X-Slack-Signature": ""}, id="an empty signature"),
        pytest.param({"X-Slack-Signature": "v0="}, id="half a signature"),
    ],
)
async def test_malformed_signature_is_refused_and_logged_at_debug(
    caller: SlackCaller,
    recorder: MentionRecorder,
    headers: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.clear()  # of what Bolt says when it is made
    assert (await caller.post(mention(), headers=headers))[0] == 401
    assert recorder.mentions == []
    assert [r for r in caplog.records if r.levelno > logging.INFO] == []


async def test_signed_body_is_decoded_as_utf8_whatever_its_charset(
    caller: SlackCaller, recorder: MentionRecorder
) -> None:
    body = mention("Grüße, 你好").replace(b"\\u", b"\\u")
    for charset in ("utf-8", "latin-1", "utf-16", "nonsense"):
        status, _ = await caller.post(body, content_type=f"application/json; charset={charset}")
        assert status == 200
    assert recorder.mentions == ["Grüße, 你好"] * 4


async def test_body_of_more_than_a_mebibyte_is_refused(
    caller: SlackCaller, recorder: MentionRecorder
) -> None:
    assert (await caller.post(b" " * (MAX_BODY_BYTES + 1)))[0] == 413
    assert (await caller.post(mention() + b" " * (MAX_BODY_BYTES - 1000)))[0] == 200
    assert len(recorder.mentions) == 1


async def test_compressed_body_is_refused_without_decompression(
    caller: SlackCaller, recorder: MentionRecorder
) -> None:
    body = gzip.compress(b" " * 50_000_000)
    assert (await caller.post(body, headers={"Content-Encoding": "gzip"}))[0] == 415
    assert (await caller.post(mention(), headers={"Content-Encoding": "identity"}))[0] == 200


async def test_bolt_request_has_only_the_headers_that_bolt_needs(
    caller: SlackCaller, recorder: MentionRecorder
) -> None:
    lazy = {"X-Slack-Bolt-Lazy-Only": "1", "X-Slack-Bolt-Lazy-Function-Name": "on_mention"}
    assert (await caller.post(mention("once"), headers=lazy))[0] == 200
    assert recorder.mentions == ["once"]


async def test_certificate_check_needs_a_signature_too(caller: SlackCaller) -> None:
    body = urlencode({"ssl_check": "1", "token": "x"}).encode()
    assert (await caller.post(body, content_type=FORM, secret="another"))[0] == 401
    assert (await caller.post(body, content_type=FORM))[0] == 200


_json = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner),
    max_leaves=8,
)
_payloads = st.dictionaries(
    st.sampled_from(["type", "event", "authorizations", "team", "enterprise", "user", "payload"])
    | st.text(max_size=5),
    _json | st.sampled_from(["event_callback", "block_actions", "url_verification"]),
)


@given(payload=_payloads, form=st.booleans())
def test_signed_payload_of_any_shape_raises_no_error(payload: dict[str, Any], form: bool) -> None:
    text = json.dumps(payload)
    body = urlencode({"payload": text}).encode() if form else text.encode()
    assert _status(body, FORM if form else "application/json") in {200, 400}


@given(body=st.binary(max_size=200), content_type=st.text(max_size=40))
def test_signed_bytes_of_any_kind_raise_no_error(body: bytes, content_type: str) -> None:
    assert _status(body, content_type) in {200, 400}


def _status(body: bytes, content_type: str) -> int:
    try:
        bolt_request(body, {"Content-Type": content_type})
    except RequestRefused as refused:
        return refused.status
    return 200


@pytest.mark.parametrize(
    ("off", "well"), [(0, True), (300, True), (-300, True), (301, False), (-301, False)]
)
def test_timestamp_is_recent_within_five_minutes(off: int, well: bool) -> None:
    assert is_recent(str(1_700_000_000 + off), 1_700_000_000.0) is well


def test_signature_matches_the_example_of_slack_s_documentation() -> None:
    """https://docs.slack.dev/authentication/verifying-requests-from-slack"""
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
        b"&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
        b"&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands"
        b"%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    expected = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    assert signature_of(body, "1531420618", b"8f742231b10e8888abcd99yyyzzz85a5") == expected
