"""Streams, errors, payloads and texts of every shape that was recorded, written by us.

The recorded data is beside the project and not part of it. What is here is synthetic: it has the
shapes and no content of the recordings, so that a bare clone runs the same tests. A test fails if
a recorded shape has no counterpart here (tests/unit/test_recorded_data.py).

streams.py         what a stream is and what is known of it; framing as server-sent events
items.py           output items of the Responses API with their events
responses.py       streams of the Responses API
chat.py            streams of Chat Completions
http_answers.py    answers of servers, from the status line to the last byte, and HTTP errors
slack_payloads.py  what Slack sends to an app: events, envelopes, interactions, commands
slack_shapes.py    objects of Slack with all their usual fields
markdown_texts.py  Markdown, finished and unfinished
"""
