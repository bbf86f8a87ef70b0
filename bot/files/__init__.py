"""The content of files that people attach to a question, for the model.

    reader.py      fetches the files of one question, within limits
    held_bytes.py  bounds the bytes of all files that the process holds
    contents.py    what kind of file it is, and what the model is given of it (pure)
    pictures.py    recognises pictures by their first bytes (pure)
    texts.py       decodes text, and clips it (pure)
    skipped.py     files that the model is not given, and why (pure)

What a file is, is told by its content: names and the types that Slack derives from them may be
wrong. Nothing of a file is stored; after a take-over it is fetched again.
"""
