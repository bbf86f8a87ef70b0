"""One question to the model's server, over as many requests as it takes.

answer.py          the whole way: ask, resume, poll, start over, give up
retry_budget.py    what a failure costs, and how long to wait
request_format.py  which format and which options to ask with
rejections.py      which option a refusal is about (pure)
attempt.py         one request under our timers
stream_reader.py   the bytes of a response become events
"""
