"""One answer of the model's server, over as many requests as it takes.

answer.py          the state machine: ask, resume, poll, restart, give up
retry_budget.py    how many failures an answer survives, and the delay after each
request_format.py  the wire format and the optional fields of the request
rejections.py      which option a refusal is about (pure)
transport.py       one request and its reply, guarded against stalls
stream_reader.py   the bytes of a reply as events
read_pace.py       how often streams are read (pure)
"""
