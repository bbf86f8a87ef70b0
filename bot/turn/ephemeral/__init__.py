"""Carries out the button presses of askers below their ephemeral answers.

actions.py  shows an answer live, shares it, or continues it in a direct message
repost.py   posts an ended answer again, in a channel or in a direct message
"""
