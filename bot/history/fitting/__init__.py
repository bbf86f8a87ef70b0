"""Fits a conversation to the model's token limit. Pure.

fit.py          the messages that fit, with the summary of the others
token_limit.py  which messages fit, and how many bytes make a token
gaps.py         which messages a prompt lacks, and when a summary is needed
remarks.py      sentences about messages that were left out
"""
