"""Objects of Slack with their usual fields, as its documentation has them.

Values only have the right type: "" for a text, 1 for a number, False for a switch. A list has one
element, which stands for all.
"""

from __future__ import annotations

from typing import Any

from tests.support.corpus.streams import Payload


def texts(names: str) -> Payload:
    """Return an object with a text in each of these fields."""
    return dict.fromkeys(names.split(), "")


def switches(names: str) -> Payload:
    """Return an object with a switch in each of these fields."""
    return dict.fromkeys(names.split(), False)


def numbers(names: str) -> Payload:
    """Return an object with a number in each of these fields."""
    return dict.fromkeys(names.split(), 1)


_ICONS = texts("image_36 image_48 image_72")
_BOT = {**texts("id name app_id user_id"), "deleted": False, "updated": 1, "icons": _ICONS}
_PROFILE = {**texts("id name app_id team_id"), "deleted": False, "updated": 1, "icons": _ICONS}
_EDITED = texts("user ts")
_REACTION = {"name": "", "count": 1, "users": [""]}
_MESSAGE: Payload = {
    **texts("type subtype client_msg_id user team bot_id app_id username channel channel_type"),
    **texts("ts event_ts thread_ts text parent_user_id source_team user_team permalink"),
    **texts("latest_reply"),
    **switches("hidden is_locked subscribed is_starred"),
    **numbers("reply_count reply_users_count"),
    "blocks": [],
    "attachments": [],
    "files": [],
    "reply_users": [""],
    "reactions": [_REACTION],
    "edited": _EDITED,
    "bot_profile": _PROFILE,
    "metadata": {},
}
_POSTED = {**_MESSAGE, "bot_profile": {**_PROFILE, "user_id": ""}}
_VIEW: Payload = {
    **texts("id team_id type private_metadata callback_id external_id hash"),
    **texts("root_view_id previous_view_id app_id app_installed_team_id bot_id"),
    **switches("clear_on_close notify_on_close submit_disabled"),
    "blocks": [],
    "state": {},
    "title": {},
    "submit": {},
    "close": {},
}
_TEAM = texts("id domain enterprise_id enterprise_name")
_USER = texts("id username name team_id")
_INTERACTION: Payload = {
    **texts("type api_app_id token trigger_id response_url"),
    "enterprise": texts("id name"),
    "team": _TEAM,
    "user": _USER,
    "is_enterprise_install": False,
}


def _event(**fields: Any) -> Payload:
    authorization = {
        **texts("enterprise_id team_id user_id"),
        **switches("is_bot is_enterprise_install"),
    }
    return {
        **texts("token team_id enterprise_id api_app_id type event_id event_context"),
        "event_time": 1,
        "is_ext_shared_channel": False,
        "authorizations": [authorization],
        "event": fields,
    }


def _answer(**fields: Any) -> Payload:
    return {"ok": True, **texts("error warning needed provided"), **fields}


def _page(**fields: Any) -> Payload:
    return _answer(**fields, has_more=False, response_metadata={"next_cursor": ""})


_CHANNEL: Payload = {
    **texts("id name name_normalized creator user last_read locale context_team_id"),
    **switches("is_channel is_group is_im is_mpim is_private is_archived is_general is_member"),
    **switches("is_shared is_ext_shared is_org_shared is_pending_ext_shared"),
    **numbers("created updated unlinked num_members"),
    "shared_team_ids": [""],
    "pending_shared": [""],
    "pending_connected_team_ids": [""],
    "previous_names": [""],
    "topic": {**texts("value creator"), "last_set": 1},
    "purpose": {**texts("value creator"), "last_set": 1},
}
_MEMBER: Payload = {
    **texts("id team_id name real_name color tz tz_label locale who_can_share_contact_card"),
    **switches("deleted is_admin is_owner is_primary_owner is_restricted is_ultra_restricted"),
    **switches("is_bot is_app_user is_email_confirmed"),
    **numbers("tz_offset updated"),
    "profile": {
        **texts("title phone skype real_name real_name_normalized display_name avatar_hash email"),
        **texts("display_name_normalized status_text status_emoji bot_id api_app_id team"),
        **texts("image_24 image_32 image_48 image_72 image_192 image_512 first_name last_name"),
        "status_expiration": 1,
        "always_active": False,
    },
}
_INNER = {name: value for name, value in _MESSAGE.items() if name != "channel"}
_CHANGE = {**texts("type subtype channel channel_type ts event_ts"), "hidden": True}
_CONTAINER = {
    **texts("type message_ts channel_id view_id text thread_ts"),
    "attachment_id": 1,
    **switches("is_ephemeral is_app_unfurl"),
}

SHAPES: dict[str, Payload] = {
    "events/AppMentionPayload": _event(**_MESSAGE),
    "events/MessagePayload": _event(**_MESSAGE),
    "events/MessageChangedPayload": _event(
        **_CHANGE, message=_INNER, previous_message={**_INNER, "edited": _EDITED}
    ),
    "events/MessageDeletedPayload": _event(**_CHANGE, deleted_ts="", previous_message=_INNER),
    "events/AppHomeOpenedPayload": _event(**texts("type user channel tab event_ts"), view=_VIEW),
    "events/MemberJoinedChannelPayload": _event(
        **texts("type user channel channel_type team inviter event_ts")
    ),
    "app-backend/slash-commands/SlashCommandPayload": {
        **texts("token api_app_id team_id team_domain enterprise_id enterprise_name channel_id"),
        **texts("channel_name user_id user_name command text response_url trigger_id"),
        "is_enterprise_install": False,
    },
    "app-backend/interactive-components/BlockActionPayload": {
        **_INTERACTION,
        "container": _CONTAINER,
        "channel": texts("id name"),
        "message": _MESSAGE,
        "view": _VIEW,
        "state": {},
        "actions": [],
    },
    "app-backend/views/ViewSubmissionPayload": {
        **_INTERACTION,
        "view": _VIEW,
        "is_cleared": False,
        "response_urls": [],
    },
    "api/auth.test": _answer(
        **texts("url team user team_id user_id bot_id enterprise_id app_id app_name"),
        is_enterprise_install=False,
        expires_in=1,
    ),
    "api/apps.connections.open": _answer(url=""),
    "api/chat.postMessage": _answer(**texts("channel ts"), message=_POSTED, response_metadata={}),
    "api/chat.postEphemeral": _answer(message_ts=""),
    "api/chat.getPermalink": _answer(**texts("channel permalink")),
    "api/conversations.open": _answer(
        channel={**_CHANNEL, "latest": _MESSAGE, "is_open": False, "priority": 1},
        **switches("already_open no_op"),
    ),
    "api/conversations.info": _answer(channel=_CHANNEL),
    "api/conversations.members": _page(members=[""]),
    "api/conversations.replies": _page(messages=[_MESSAGE]),
    "api/users.info": _answer(user=_MEMBER),
    "api/bots.info": _answer(bot=_BOT),
}
