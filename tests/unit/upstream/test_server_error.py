"""The error object is found in a body of any shape."""

from __future__ import annotations

import pytest

from bot.upstream.errors.server_error import find_error_object, read_server_error


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"error": {"message": "m"}}', "m"),
        (b'{"error": "m"}', "m"),
        (b'{"message": "m"}', "m"),
        (b'{"detail": "m"}', "m"),
        (
            b'{"detail": [{"loc": ["body", "input"], "msg": "m", "input": "secret"}]}',
            "body.input: m",
        ),
        (b'[{"error": {"message": "m"}}]', "m"),
        (b'"{\\"error\\": {\\"message\\": \\"m\\"}}"', "m"),
        (b'data: {"error": {"message": "m"}}\n\ndata: [DONE]\n\n', "m"),
        (b"event: error\ndata: {}\n\n", ""),
        (b"<html>oh</html>", ""),
        (b"", ""),
        (b"null", ""),
        (b"[]", ""),
        (b"{broken", ""),
        (b"\xff\xfe", ""),
    ],
)
def test_find_error_object_reads_bodies_of_any_shape(body: bytes, message: str) -> None:
    assert find_error_object(body).get("message", "") == message


def test_read_server_error_leaves_missing_fields_empty() -> None:
    problem = read_server_error({"message": ["x"], "code": {}, "type": None, "retryable": "yes"})
    assert (problem.message, problem.code, problem.kind) == ("", "", "")
    assert problem.retryable is None
    assert problem.names == {""}


def test_read_server_error_takes_a_three_digit_code_for_the_status() -> None:
    assert read_server_error({"code": "503"}).status == 503
    assert read_server_error({"code": "503"}, status=500).status == 500
    assert read_server_error({"code": "5030"}).status is None
