"""Parses Slack's payloads. Pure: a payload in, values of ours out, or None where it is not for us.

addressing.py    who wrote a message, and whether it mentions the bot
own_messages.py  whether an event is about a post or an edit of our own
questions.py     payloads as questions, and presses of buttons
revisions.py     payloads of deleted and edited messages
tenancy.py       whether a payload belongs to our workspace or organisation
"""
