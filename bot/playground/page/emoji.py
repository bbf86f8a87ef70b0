"""Slack's `:names:` for the emoji a bot is likely to write; unknown names stay as they are."""

from __future__ import annotations

import re

NAME = re.compile(r":(?P<name>[a-z0-9_+-]{1,50}):")

EMOJI = {
    "+1": "👍", "thumbsup": "👍", "-1": "👎", "thumbsdown": "👎", "wave": "👋", "pray": "🙏",
    "clap": "👏", "raised_hands": "🙌", "point_right": "👉", "point_down": "👇", "muscle": "💪",
    "ok_hand": "👌", "eyes": "👀", "brain": "🧠", "smile": "😄", "grinning": "😀", "joy": "😂",
    "slightly_smiling_face": "🙂", "blush": "😊", "wink": "😉", "thinking_face": "🤔",
    "sweat_smile": "😅", "cry": "😢", "confused": "😕", "heart": "❤️", "sparkles": "✨",
    "star": "⭐", "fire": "🔥", "tada": "🎉", "rocket": "🚀", "zap": "⚡", "bulb": "💡",
    "white_check_mark": "✅", "heavy_check_mark": "✔️", "x": "❌", "warning": "⚠️",
    "no_entry": "⛔", "no_entry_sign": "🚫", "octagonal_sign": "🛑", "question": "❓",
    "exclamation": "❗", "hourglass": "⌛",
    "hourglass_flowing_sand": "⏳", "stopwatch": "⏱️", "clock1": "🕐", "calendar": "📅",
    "repeat": "🔁", "arrows_counterclockwise": "🔄", "arrow_right": "➡️", "arrow_left": "⬅️",
    "arrow_up": "⬆️", "arrow_down": "⬇️", "black_square_for_stop": "⏹️", "lock": "🔒", "key": "🔑",
    "bell": "🔔", "link": "🔗", "paperclip": "📎", "pushpin": "📌", "mag": "🔍", "memo": "📝",
    "pencil": "📝", "pencil2": "✏️", "books": "📚", "page_facing_up": "📄", "file_folder": "📁",
    "speech_balloon": "💬", "mega": "📣", "loudspeaker": "📢", "robot_face": "🤖", "gear": "⚙️",
    "wrench": "🔧", "hammer": "🔨", "bug": "🐛", "computer": "💻",
    "chart_with_upwards_trend": "📈", "bar_chart": "📊", "globe_with_meridians": "🌐",
    "house": "🏠", "coffee": "☕", "seedling": "🌱",
    "large_green_circle": "🟢", "large_yellow_circle": "🟡", "red_circle": "🔴",
}  # fmt: skip


def drawn(plain: str) -> str:
    """`plain` with its known emoji names drawn."""
    return NAME.sub(lambda found: EMOJI.get(found["name"], found[0]), plain)
