"""Private answers after they were sent: actions.py finds them for the buttons below them,
repost.py posts them in a channel or in the direct messages.
"""
