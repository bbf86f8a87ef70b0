"""ASK: one stream of typed events, whatever the wire format and however often the line falls.

    client       the only door to httpx: `UpstreamConfig`, `open_http`, `Upstream`
    prompt       what is asked                      events         what comes back
    answer       one question's way: ask, resume, poll, begin anew, give up
    ladder       what a failure costs               route          which way to ask
    capabilities what a server can't do             refusals       what a refusal is about
    attempt      one request under our timers       reading        its bytes become events
    sse          bytes to the data of events        bodies         a prompt to JSON
    responses    reads the Responses API            chat           reads Chat Completions
    (with responses_wire, output)                   decoding, parts, activities: common to both
    failures     what went wrong, and its sentence  (with problem, words, hints)

This room knows nothing of Slack, of turns or of storage. Below `answer`, all but `attempt`,
`reading` and `client` is pure.
"""
