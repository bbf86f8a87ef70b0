"""WRITE: renders the model's text for Slack, and Slack's messages for the model. Pure.

message.py       a draft as the messages to show; other packages start here
ephemeral.py     the acknowledgement of a command, and ephemeral answers
buttons.py       buttons and menu below an answer
split.py         splits a text into messages
committable.py   the prefix of a growing text that can be appended to a stream
safety/          removes mentions, commands and misleading links
markdown/        parses blocks and inline markup, closes and reopens it at a cut
notification.py  Markdown as one short plain line
reasoning.py     the newest line of what the model thinks
sources.py       the list of sources below an answer
incoming/        messages of people as text for the model
"""
