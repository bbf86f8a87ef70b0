"""What a person sees in a Slack message, as text for a model.

    message.py      a whole message: its text or blocks, its attachments, its files
    current_question.py  what it asks us
    answers.py      our own earlier answers, as the markdown they were
    blocks.py       every kind of block
    rich_text.py    the block that Slack's composer writes, as markdown
    tables.py       tables and charts
    attachments.py  attachments, link previews and forwarded messages
    files.py        files by name and kind, with the preview Slack shows
    mrkdwn.py       Slack's markup in text fields
    findings.py     what is collected on the way: mentions, files, what has no words
    payload.py      fields of payloads whose shape can't be relied on

User mentions stay `<@U…>`: turning an id into a name takes a call, so it is not done here.
"""

from bot.render.incoming.message import UNNAMED_PARTS, ReadMessage, message_text, read_message
from bot.render.incoming.mrkdwn import find_mentions, mrkdwn_to_text, without_mention
from bot.render.incoming.own_answers import answer_text, read_asked_line
from bot.render.incoming.question import QuestionContent, read_question

__all__ = [
    "UNNAMED_PARTS",
    "QuestionContent",
    "ReadMessage",
    "answer_text",
    "find_mentions",
    "message_text",
    "mrkdwn_to_text",
    "read_asked_line",
    "read_message",
    "read_question",
    "without_mention",
]
