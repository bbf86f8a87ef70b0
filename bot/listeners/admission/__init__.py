"""Questions that are left unanswered on purpose.

bot_loops.py        keeps bots from answering each other forever
refusal_notices.py  remembers who was told that the bot does not answer them
"""
