"""REMEMBER: a Slack thread becomes the conversation a model sees.

thread.py   one read of Slack a question, cached; our own answers as assistant turns
names.py    who a user id is, asked once
budget.py   what fits the model, cut from the oldest (pure)
"""
