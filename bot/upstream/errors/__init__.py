"""Errors of the model's server. Pure.

classify.py      a `ServerError` becomes an `UpstreamError` with a sentence for the reader
server_error.py  a body becomes a `ServerError`
shapes.py        errors in unusual shapes, also in a reply with status 200
words.py         errors that have only a message
retry_after.py   how long the server asks to wait
"""
