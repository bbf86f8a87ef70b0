"""ASK: one stream of typed events, whatever the wire format and however often the line drops.

    client.py        the only door to httpx: `open_http`, `Upstream`; config.py its settings
    session/         one question: ask, resume, poll, start over, give up
    requests/        a prompt as JSON
    wire/            bytes as events, for both formats
    text/            the text of an answer, put together from deltas
    errors/          what went wrong, and the sentence for its reader
    events.py        what comes back              prompt.py     what is asked
    resume_point.py  where a response goes on     tool_round.py what the model sent in a round
    capabilities.py  what a server can't do       lenient_json.py, joining.py  JSON that is broken

This room knows nothing of Slack, of turns or of storage. Everything but client.py and session/ is
pure.
"""
