"""When answers are edited: pace.py decides which one is next (pure), wakeup_loop.py waits until
something is due.
"""
