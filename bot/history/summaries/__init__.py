"""Summaries of the messages that do not fit the model any more.

text.py        the request for a summary, and how one is told to the model (pure)
backlog.py     which messages a summary has to take up (pure)
digest.py      shows whether a covered message was changed (pure)
source.py      reads these messages from Slack
summariser.py  makes summaries in the background, after answers
"""
