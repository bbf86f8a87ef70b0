"""ASK: one stream of typed events, whatever the wire format and however often the line falls.

The rooms of this floor, in the order of the bytes: `client` opens connections (the only door to
httpx), `sse` cuts bytes into events, `responses` and `chat` read them, `ladder` decides what a
failure costs, `answer` climbs it. This room knows nothing of Slack, of turns or of storage.
"""
