"""What servers send, decoded to events. Pure.

sse.py               bytes to the data of server-sent events
decoder.py           the contract of the decoders of both formats
responses.py         the decoder of the Responses API
responses_wire.py    the fields of its events
responses_output.py  the output items of a finished response
chat.py              the decoder of Chat Completions
call_fragments.py    tool calls of Chat Completions, assembled
usage.py             token counts of both formats
"""
