"""Reads Slack messages as text for the model. Pure.

    message.py      a whole message: text or blocks, attachments and files
    question.py     a message as a question
    own_answers.py  our own answers, as the Markdown they were
    blocks.py       all kinds of blocks
    rich_text.py    the block that Slack's composer writes
    tables.py       tables and charts
    attachments.py  attachments, link previews and forwarded messages
    files.py        names, kinds and previews of files
    mrkdwn.py       Slack's markup in text fields
    findings.py     mentions, files and unreadable parts that are collected
    payload.py      access to fields of any type

User mentions stay `<@U…>`: looking up a name takes a call, which `history` makes.
"""

from bot.render.incoming.files import shown_file_name
from bot.render.incoming.message import UNNAMED_PARTS, ReadMessage, message_text, read_message
from bot.render.incoming.mrkdwn import find_mentions, mrkdwn_to_text, without_mention
from bot.render.incoming.own_answers import answer_text, read_asked_line
from bot.render.incoming.question import QuestionContent, question_file, read_question

__all__ = [
    "UNNAMED_PARTS",
    "QuestionContent",
    "ReadMessage",
    "answer_text",
    "find_mentions",
    "message_text",
    "mrkdwn_to_text",
    "question_file",
    "read_asked_line",
    "read_message",
    "read_question",
    "shown_file_name",
    "without_mention",
]
