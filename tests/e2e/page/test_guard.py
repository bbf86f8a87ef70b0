"""Only the playground's own page may drive it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.playground.page.guard import MAX_BODY, BadRequest, optional, stranger, wanted
from tests.e2e.page import page_server

OURS = "127.0.0.1:8000"


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8000", "localhost:8000", "[::1]:8000", "play.localhost", "192.168.1.5:80"]
)
def test_addresses_and_localhost_are_let_through(host: str) -> None:
    assert stranger({"Host": host}) == ""
    assert stranger({"Host": host, "Origin": f"http://{host}"}) == ""


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", ""]
)
def test_host_given_by_name_is_refused(host: str) -> None:
    assert "by address" in stranger({"Host": host})


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://127.0.0.1:9000",
        "http://localhost:8000",
        "",
        "http://[",
    ],
)
def test_request_from_another_origin_is_refused(origin: str) -> None:
    assert "own page" in stranger({"Host": OURS, "Origin": origin})


@given(st.text(max_size=40), st.text(max_size=40))
def test_guard_accepts_any_header_without_an_error(host: str, origin: str) -> None:
    assert isinstance(stranger({"Host": host, "Origin": origin}), str)


@pytest.mark.parametrize("value", [1, True, [], {}])
def test_field_of_another_type_is_refused(value: object) -> None:
    with pytest.raises(BadRequest, match="text must be of type str"):
        wanted({"text": value}, "text", str)


def test_missing_field_is_refused_unless_it_is_optional() -> None:
    assert optional({"text": None}, "text", str) is None
    with pytest.raises(BadRequest, match="text is missing"):
        wanted({}, "text", str)


async def test_page_of_another_origin_can_neither_send_nor_receive() -> None:
    async with page_server.serve_page() as server:
        assert (await server.request("crash", Origin="https://evil.example"))[0] == 403
        assert (await server.request("crash", Host="evil.example"))[0] == 403
        async with server.http.get(
            f"{server.url}/play/feed", headers={"Origin": "https://evil.example"}
        ) as no:
            assert no.status == 403
        async with server.http.get(f"{server.url}/", headers={"Host": "evil.example"}) as no:
            assert no.status == 403
        assert server.process.pid is None


async def test_body_that_is_not_a_json_object_is_refused_with_a_sentence() -> None:
    sent = {
        "Send JSON": ("text/plain", "{}"),
        "not JSON": ("application/json", "{"),
        "must be a JSON object": ("application/json", "[]"),
        f"{MAX_BODY} bytes": ("application/json", json.dumps({"text": "a" * MAX_BODY})),
    }
    async with page_server.serve_page() as server:
        for sentence, (kind, body) in sent.items():
            headers = {"Content-Type": kind}
            async with server.http.post(
                f"{server.url}/play/say", data=body, headers=headers
            ) as answer:
                assert answer.status == 400
                assert sentence in (await answer.json())["error"]


async def test_page_may_load_nothing_from_other_origins() -> None:
    async with page_server.serve_page() as server, server.http.get(f"{server.url}/") as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert "http://" not in (await answer.text()).replace("http://www.w3.org", "")
