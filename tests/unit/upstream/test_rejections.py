"""What a refusal is about: an option or the wire format."""

from __future__ import annotations

import pytest

from bot.errors import PromptRefused, PromptTooLong, UpstreamBusy, UpstreamError
from bot.upstream.requests.bodies import RESPONSES_OPTIONS
from bot.upstream.session.rejections import (
    means_no_chat_api,
    means_no_pictures,
    means_no_responses_api,
    rejected_option,
)


def refused(
    message: str = "no",
    status: int | None = 400,
    param: str = "",
) -> UpstreamError:
    """Return a refusal."""
    return PromptRefused(message, status=status, param=param)


@pytest.mark.parametrize(
    ("error", "option"),
    [
        (refused(param="background"), "background"),
        (refused(param="store"), "store"),
        (refused(param="stream_options.include_obfuscation"), "obfuscation"),
        (refused(param="tools[0].type"), "hosted_tools"),
        (refused(param="tool_choice"), "hosted_tools"),
        (refused("Background mode is not supported"), "background"),
        (refused("Unrecognized request argument: 'store'"), "store"),
        (
            refused("Invalid content type. image_url is only supported by certain models."),
            "pictures",
        ),
        (refused("At most 0 image(s) may be provided in one request."), "pictures"),
        (refused("No endpoints found that support image input", status=404), "pictures"),
        (
            refused("image input is not supported - hint: provide the mmproj", status=500),
            "pictures",
        ),
        (refused("messages[1].content must be a string"), "pictures"),
        (refused("Could not process image", status=422), "pictures"),
        (PromptTooLong("body too large", status=413), "pictures"),
        (PromptTooLong("too many tokens", status=400), ""),
        (refused("mcp is not available for this model", status=422), "hosted_tools"),
        (refused("background", status=None), "background"),
        (refused("the vector store is empty"), ""),
        (refused("background", status=401), ""),
        (refused("background", status=500), ""),
        (refused("temperature", param="temperature"), ""),
        (UpstreamBusy("background", status=400), ""),
    ],
)
def test_rejected_option_is_read_from_the_refusal(error: UpstreamError, option: str) -> None:
    assert rejected_option(error, RESPONSES_OPTIONS) == option


def test_rejected_option_is_one_that_was_sent() -> None:
    assert rejected_option(refused(param="background"), {"store"}) == ""
    assert rejected_option(refused(param="background"), set()) == ""


def test_means_no_responses_api_ignores_other_mentions() -> None:
    assert not means_no_responses_api(refused("the responses you ask for are too long"))
    assert not means_no_responses_api(refused("key", status=401))
    assert means_no_responses_api(refused("unknown url /v1/responses"))


def test_means_no_chat_api_is_read_from_the_message() -> None:
    assert means_no_chat_api(refused("This is not a chat model", status=404))
    assert means_no_chat_api(refused("only supported in v1/responses", status=404))
    assert not means_no_chat_api(refused("no such page", status=404))


@pytest.mark.parametrize(
    ("error", "is_about_the_model"),
    [
        (refused("Invalid content type. image_url is only supported by certain models."), True),
        (refused("No endpoints found that support image input"), True),
        (refused("invalid_image_format: The image data you provided is not valid."), False),
        (refused("image_parse_error"), False),
        (refused("The image is too large: its dimensions exceed 8000 pixels"), False),
        (PromptTooLong("body too large", status=413), False),
    ],
)
def test_refusal_of_one_picture_is_not_about_the_model(
    error: UpstreamError, is_about_the_model: bool
) -> None:
    assert means_no_pictures(error) is is_about_the_model
