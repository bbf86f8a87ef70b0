"""An answer that Slack streams itself.

reply.py       one answer: the newest draft, and what is appended for it
dispatcher.py  the appends of one workspace, within Slack's limits
layout.py      how an answer is laid out in streams (pure)
writer.py      the calls that start, append to and stop a stream
status.py      the assistant status that is shown until text begins
"""
