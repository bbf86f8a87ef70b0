"""REMEMBER: turns a Slack thread or direct message into the conversation for the model.

conversation.py      `History`: reads the conversation of a question and fits it to the model
earlier_messages.py  reads the earlier messages from Slack
question/            the question as its messages in Slack say it now
converter.py         Slack's messages as messages for the model (pure)
new_conversation.py  how a person starts a new conversation (pure)
names.py             looks up display names, within a second
fitting/             the messages that fit the model's token limit (pure)
summaries/           makes summaries of what does not fit
"""
