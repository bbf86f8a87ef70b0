"""REMEMBER: turns a Slack thread or direct message into the conversation for the model.

conversation.py      `History`: reads the conversation of a question and fits it to the model
earlier_messages.py  reads the earlier messages from Slack
current_question.py  the question as its messages in Slack say it now (pure)
opening.py           reads a mention for the files that its event left out
converter.py         Slack's messages as messages for the model (pure)
new_conversation.py  how a person starts a new conversation (pure)
names.py             looks up display names, within a second
token_limit.py       which messages fit, and how many bytes make a token (pure)
gaps.py              which messages a prompt lacks, and when a summary is needed (pure)
fitting.py           the messages that fit, with the summary of the others (pure)
summaries/           makes summaries of what does not fit
remarks.py           sentences about messages that were left out (pure)
"""
