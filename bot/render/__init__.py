"""WRITE: what a model wrote becomes text that can stand in Slack.

    message.py   a Draft becomes the messages that should stand in Slack: the door callers use
    private.py   the note that acknowledges a command, and a private answer
    buttons.py   what can be pressed under an answer
    split.py     where one message ends and the next begins
    boundary.py  the best place to end one
    reopen.py    what was open at a cut is opened again behind it
    close.py     unfinished markdown is closed or held back while it streams
    lasting.py   how much of it can be shown and never taken back
    safe.py      what may ping or pretend is made inert
    links.py     where links may lead and what they must say
    plain.py     markdown as one short plain line, for notifications
    scan.py      markdown as blocks
    inline.py    what stands inside a paragraph
    incoming/    what people wrote in Slack, as plain text for a model

Pure text work: no I/O, no clock, no Slack calls. When and how often something is sent is none of
this room's business.
"""
