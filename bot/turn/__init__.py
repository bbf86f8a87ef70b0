"""ANSWER: one question becomes one answer.

machine.py     what an event of the upstream means for the answer (pure)
runner.py      the whole way of a question, top to bottom
supervisor.py  the live turns: claimed once, tracked, drained at the end
seats.py       how many may write at once, and who is next
private.py     what an asker does with a private answer
copies.py      a finished answer posted once more, somewhere else
ending.py      how tasks end: in time, or because they are made to
"""
