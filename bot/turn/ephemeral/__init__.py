"""What askers do with ephemeral answers.

actions.py  finds an ephemeral answer for the buttons below it
repost.py   posts an ended answer again, in a channel or in a direct message
"""
