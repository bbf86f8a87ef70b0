"""Answers shown by a placeholder and edits of it.

reply.py       one answer: the newest draft, and the steps that show it
dispatcher.py  starts the writes of one workspace, within Slack's limits
layout.py      how an answer is laid out in messages
reconcile.py   the next step from the messages that exist to those that should (pure)
writer.py      makes the calls of these steps, none of them twice
refusals.py    what to do when Slack refuses a call (pure)
"""
