"""The question of a conversation, as its messages in Slack say it now.

current_question.py  applies the present messages to the stored question (pure)
rereading.py         reads the messages of a question again
opening.py           reads a mention for the files that its event left out
subject.py           the message that a question is about, if a shortcut asked it
"""
