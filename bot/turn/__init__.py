"""ANSWER: one question becomes one answer, whatever dies on the way.

answer.py        the whole way of a question, top to bottom
answer_state.py  what an upstream event means for the answer (pure)
tool_rounds.py   runs the tools the model calls; limits.py bounds one answer
turn.py          what is known of a turn that runs here, and how it is stopped
running.py       the turns that run in this process
supervisor.py    questions and button presses come in; turns are handed over at shutdown
intake.py        claims a question, in the order of its thread (thread_queue.py, pure)
concurrency.py   how many answers may be written at once, and whose turn is next
revisions.py     a question is deleted or edited in Slack
again.py         the same question once more (pure)
thread_stop.py   Slack's own Stop, which names a thread
durability/      checkpoints, leases, failure detection and resuming after a crash
ephemeral/       what an asker does with a private answer
"""
