"""WRITE: what a model wrote becomes text that can stand in Slack.

    message.py       a draft becomes the messages that should stand in Slack: the door callers use
    ephemeral.py     the note that acknowledges a command, and a private answer
    buttons.py       what can be pressed below an answer
    split.py         where one message ends and the next begins
    committable.py   how much of a growing text can be shown and never taken back
    safety/          what may ping or pretend is made inert
    markdown/        blocks, inline markup, and what is open at a cut
    notification.py  markdown as one short plain line
    sources.py       the list of sources below an answer
    incoming/        what people wrote in Slack, as plain text for a model

Pure text work: no I/O, no clock, no calls to Slack.
"""
