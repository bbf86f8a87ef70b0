"""Which answer is written next, and when.

edit_scheduler.py  chooses the next edit by what readers have left to read (pure)
reader_state.py    what a reader has left to read (pure)
live_reply.py      the protocol between a dispatcher and the replies it writes
dispatcher.py      the base class of the dispatchers of edits and of streams
wakeup_loop.py     waits until something is due or has changed
"""
