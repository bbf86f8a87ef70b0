"""What servers send, as events. Pure.

decoder.py         what both readers have in common: the contract of a decoder
sse.py             bytes as server-sent events
responses.py       reads the Responses API, with responses_wire.py and responses_output.py
chat.py            reads Chat Completions, with call_fragments.py
usage.py           token counts of both
"""
