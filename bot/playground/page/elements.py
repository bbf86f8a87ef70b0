"""Block Kit's interactive elements to HTML.

Each carries `data-action` (its action_id) and `data-type`, by which the page's script knows what
to send when it is used. https://docs.slack.dev/reference/block-kit/block-elements
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bot.playground.page import mrkdwn
from bot.playground.page.markup import link, tag, text
from bot.playground.page.names import Names, unescape

Element = Mapping[str, Any]

_INPUTS = {
    "email_text_input": "email",
    "url_text_input": "url",
    "number_input": "number",
    "datepicker": "date",
    "timepicker": "time",
    "datetimepicker": "datetime-local",
}
_INITIAL = ("initial_value", "initial_date", "initial_time")


def to_html(element: Element, names: Names) -> str:
    """The element as HTML; kinds the playground cannot show say so."""
    kind = str(element.get("type"))
    build = _BUILDERS.get(kind)
    if build is None:
        return tag("span", text(f"[{kind} is not shown here]"), class_="unsupported")
    return build(element, names)


def words(composition: Any, names: Names) -> str:
    """A text object (`plain_text` or `mrkdwn`), or a bare string, as HTML."""
    if not isinstance(composition, Mapping):
        return mrkdwn.plain(str(composition or ""))
    written = str(composition.get("text", ""))
    return mrkdwn.to_html(written, names) if composition.get("type") == "mrkdwn" else plain(written)


def plain(written: str) -> str:
    """plain_text: Slack still reads its three escapes and emoji names."""
    return mrkdwn.plain(unescape(written))


def _button(element: Element, names: Names) -> str:
    style = element.get("style") or ""
    return tag(
        "button",
        words(element.get("text"), names),
        type="button",
        class_=f"btn {style}".strip(),
        data_action=element.get("action_id"),
        data_type="button",
        data_value=element.get("value"),
        data_url=element.get("url"),
        data_confirm=_confirm(element),
        aria_label=element.get("accessibility_label"),
    )


def _feedback(element: Element, names: Names) -> str:
    choices = (element.get("positive_button"), element.get("negative_button"))
    return tag(
        "span",
        *(
            _button({**choice, "type": "button", "action_id": element.get("action_id")}, names)
            for choice in choices
            if choice
        ),
        class_="feedback",
    )


def _icon_button(element: Element, names: Names) -> str:
    return _button({**element, "accessibility_label": str(element.get("icon", ""))}, names)


def _select(element: Element, names: Names) -> str:
    return _choice(element, _options(element), names)


def _people(element: Element, names: Names) -> str:
    chosen = {element.get("initial_user"), *(element.get("initial_users") or ())}
    options = ((key, f"@{name}", key in chosen) for key, name in names.users.items())
    return _choice(element, options, names)


def _channels(element: Element, names: Names) -> str:
    chosen = {element.get("initial_channel"), element.get("initial_conversation")}
    options = ((key, f"#{name}", key in chosen) for key, name in names.channels.items())
    return _choice(element, options, names)


def _choice(element: Element, options: Iterable[tuple[str, str, bool]], names: Names) -> str:
    multiple = str(element.get("type")).startswith("multi_")
    empty = words(element.get("placeholder"), names) or ("⋯" if _is_menu(element) else "Choose…")
    first = () if multiple else (tag("option", empty, value=""),)
    rest = (tag("option", text(label), value=v, selected=on) for v, label, on in options)
    return tag(
        "select",
        *first,
        *rest,
        multiple=multiple,
        data_action=element.get("action_id"),
        data_type=element.get("type"),
        data_confirm=_confirm(element),
        class_="menu" if _is_menu(element) else None,
        aria_label="More actions" if _is_menu(element) else empty,
    )


def _boxes(element: Element, names: Names) -> str:
    kind = "radio" if element.get("type") == "radio_buttons" else "checkbox"
    name = f"{element.get('action_id')}"
    rows = (
        tag("label", tag("input", type=kind, name=name, value=v, checked=on), " ", text(label))
        for v, label, on in _options(element)
    )
    return tag(
        "span",
        *rows,
        class_="boxes",
        data_action=element.get("action_id"),
        data_type=element.get("type"),
    )


def _text_input(element: Element, names: Names) -> str:
    long = bool(element.get("multiline"))
    initial = text(element.get("initial_value") or "")
    attributes = _input_attributes(element)
    if long:
        return tag("textarea", initial, rows=5, **attributes)
    return tag("input", type="text", value=element.get("initial_value"), **attributes)


def _typed_input(element: Element, names: Names) -> str:
    initial = next((element[key] for key in _INITIAL if element.get(key)), None)
    kind = _INPUTS[str(element.get("type"))]
    return tag("input", type=kind, value=initial, **_input_attributes(element))


def _input_attributes(element: Element) -> dict[str, Any]:
    placeholder = element.get("placeholder") or {}
    return {
        "data_action": element.get("action_id"),
        "data_type": element.get("type"),
        "placeholder": placeholder.get("text"),
        "maxlength": element.get("max_length"),
        "minlength": element.get("min_length"),
        "autofocus": bool(element.get("focus_on_load")),
    }


def _image(element: Element, names: Names) -> str:
    """A link: the playground loads nothing from elsewhere."""
    url = str(element.get("image_url") or "")
    return link(url, text(element.get("alt_text") or url or "image"))


def _options(element: Element) -> Iterable[tuple[str, str, bool]]:
    initial = element.get("initial_options") or [element.get("initial_option") or {}]
    chosen = {option.get("value") for option in initial}
    groups = element.get("option_groups") or [{"options": element.get("options") or ()}]
    for group in groups:
        for option in group.get("options", ()):
            label = unescape(str((option.get("text") or {}).get("text", "")))
            yield str(option.get("value")), label, option.get("value") in chosen


def _confirm(element: Element) -> str | None:
    """What the page asks before it sends, as JSON of plain texts."""
    asked = element.get("confirm")
    if not asked:
        return None
    parts = ("title", "text", "confirm", "deny")
    return json.dumps({part: unescape((asked.get(part) or {}).get("text", "")) for part in parts})


def _is_menu(element: Element) -> bool:
    return element.get("type") == "overflow"


_BUILDERS: dict[str, Callable[[Element, Names], str]] = {
    "button": _button,
    "feedback_buttons": _feedback,
    "icon_button": _icon_button,
    "overflow": _select,
    "static_select": _select,
    "multi_static_select": _select,
    "users_select": _people,
    "multi_users_select": _people,
    "channels_select": _channels,
    "conversations_select": _channels,
    "multi_channels_select": _channels,
    "multi_conversations_select": _channels,
    "radio_buttons": _boxes,
    "checkboxes": _boxes,
    "plain_text_input": _text_input,
    "image": _image,
    **dict.fromkeys(_INPUTS, _typed_input),
}
