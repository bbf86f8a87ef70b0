"""Writes one answer, from its place in the queue to its end.

answer.py       one answer from start to end
tool_rounds.py  runs the tools the model calls
concurrency.py  limits how many answers are written at the same time
pseudonyms.py   pseudonyms of people and threads for the model's server (pure)
"""
