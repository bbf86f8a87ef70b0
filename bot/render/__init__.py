"""WRITE: what a model wrote becomes text that can stand in Slack.

    message.py   a Draft becomes the messages that should stand in Slack; the only door callers need
    split.py     where one message ends and the next begins
    close.py     unfinished markdown is closed or held back while it streams
    safe.py      what may ping, link or pretend is made inert
    plain.py     markdown as one short plain line, for notifications

Pure text work: no I/O, no clock, no Slack calls. When and how often something is sent is none of
this room's business.
"""
