"""Shows answers by posting a placeholder and editing it.

reply.py       one answer: the newest draft, and the steps that show it
dispatcher.py  starts the writes of one workspace, within Slack's limits
layout.py      how an answer is laid out in messages
reconcile.py   compares existing and wanted messages, and returns the next step (pure)
writer.py      carries out a step, and posts no message twice
refusals.py    what to do when Slack refuses a call (pure)
"""
