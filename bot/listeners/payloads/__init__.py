"""Parses Slack's payloads. Pure: a payload in, values of ours out, or None where it is not for us.

addressing.py  who wrote a message, and whether it mentions the bot
questions.py   payloads as questions, and presses of buttons
revisions.py   payloads of deleted and edited messages
tenancy.py     whether a payload belongs to our workspace or organisation
"""
