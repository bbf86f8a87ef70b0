"""ANSWER: one question becomes one answer, whatever dies on the way.

runner.py      the whole way of a question, top to bottom
machine.py     what an event of the upstream means for the answer (pure)
seats.py       how many may write at once, and who is next
recovery.py    how a turn begins here, whoever began it (pure)

supervisor.py  questions and presses come in, turns are handed on at the end (ending.py)
intake.py      a question is claimed, in the order of its thread (order.py, pure)
revisions.py   a question is deleted or edited in Slack
again.py       the same question once more (pure)
private.py     what an asker does with a private answer, with copies.py: posted somewhere else
session.py     Slack's own Stop, which names a thread

live.py        the turns that run in this process
turn.py        one of them: what is known of it, written down by journal.py
keeper.py      this replica among the others, who may be dead (watch.py, pure)
"""
