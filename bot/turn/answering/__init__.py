"""Writes one answer, from its place in the queue to its end.

answer.py       one answer from start to end
services.py     what all answers share
model_rounds.py asks the model, round after round, until it has answered
tool_rounds.py  runs the tools the model calls
mentions.py     mentions the asker below an answer that took long
concurrency.py  limits how many answers are written at the same time
pseudonyms.py   pseudonyms of people and threads for the model's server (pure)
side_tasks.py   work beside an answer, and the cancellation of its task
"""
