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
def test_a_name_that_was_looked_up_is_refused(host: str) -> None:
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
def test_another_page_is_refused(origin: str) -> None:
    assert "own page" in stranger({"Host": OURS, "Origin": origin})


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_header_makes_it_stumble(host: str, origin: str) -> None:
    assert isinstance(stranger({"Host": host, "Origin": origin}), str)


@pytest.mark.parametrize("value", [1, True, [], {}])
def test_a_field_of_another_kind_is_refused(value: object) -> None:
    with pytest.raises(BadRequest, match="text must be of type str"):
        wanted({"text": value}, "text", str)


def test_a_field_may_be_left_out_only_where_it_may() -> None:
    assert optional({"text": None}, "text", str) is None
    with pytest.raises(BadRequest, match="text is missing"):
        wanted({}, "text", str)


async def test_a_page_elsewhere_can_neither_ask_nor_listen() -> None:
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


async def test_what_is_no_json_object_is_refused_with_a_sentence() -> None:
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


async def test_the_page_may_load_nothing_from_elsewhere() -> None:
    async with page_server.serve_page() as server, server.http.get(f"{server.url}/") as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert "http://" not in (await answer.text()).replace("http://www.w3.org", "")
