"""What went wrong at the model's server. Pure.

classify.py      a status or an error becomes an `UpstreamError`
server_error.py  the error object of a body
shapes.py        errors in unusual shapes, also inside a 200
words.py         errors that have nothing but words
retry_after.py   when the server wants to be asked again
"""
