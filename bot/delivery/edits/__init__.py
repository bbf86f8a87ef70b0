"""An answer as a placeholder and edits of it.

reply.py       one answer: the newest draft, and the steps that show it
dispatcher.py  the writes of one workspace, one after the other, within Slack's limits
layout.py      how an answer is laid out in messages
reconcile.py   the next step from the messages that exist to those that should (pure)
writer.py      the calls of these steps, each made at most once
refusals.py    what to do when Slack refuses a call (pure)
"""
