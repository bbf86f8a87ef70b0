"""REMEMBER: a Slack thread or direct message becomes the conversation a model sees.

thread.py   the conversation of a question: read, named, cut to what fits
past.py     what was said before, read from Slack as it stands now
asked.py    the question as its own messages ask it now (pure)
telling.py  stored messages as messages for a model (pure)
anew.py     how a person begins a new conversation (pure)
names.py    who a user id is, within a second
budget.py   what fits the model, and how many bytes make a token (pure)
remarks.py  what is said about messages that were left out (pure)
"""
