"""The client of the upstream, which is the model's server.

Asks a question, and yields one stream of typed events over any number of connections.

    client.py        entry point: `open_http` and `Upstream`; the only module that uses httpx
    config.py        address, key, model and limits of one upstream
    prompt.py        what is asked
    events.py        what comes back
    session/         one answer: ask, resume, poll, restart, give up
    requests/        a prompt as JSON
    wire/            decodes bytes into events, for both wire formats
    text/            the text of an answer, assembled from deltas
    errors/          errors of servers, classified, with the sentence for the reader
    resume_point.py  where another process resumes a response
    tool_round.py    what the model sent in a round of tool calls, to be sent back
    capabilities.py  what a server turned out not to support
    lenient_json.py  JSON that is slightly broken
    json_merge.py    JSON values that were streamed in pieces

This package does not depend on Slack, turns or storage. All of it is pure except client.py and
session/.
"""
