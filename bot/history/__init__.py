"""REMEMBER: turns a Slack thread or direct message into the conversation for the model.

conversation.py      `History`: reads the conversation of a question and fits it to the model
earlier_messages.py  reads the earlier messages from Slack
current_question.py  the question as its messages in Slack say it now (pure)
converter.py         Slack's messages as messages for the model (pure)
new_conversation.py  how a person starts a new conversation (pure)
names.py             looks up display names, within a second
token_limit.py       which messages fit, and how many bytes make a token (pure)
remarks.py           sentences about messages that were left out (pure)
"""
