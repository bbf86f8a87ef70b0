"""ANSWER: one question becomes one answer, even if processes die on the way.

answer.py        one answer from start to end
answer_state.py  what an upstream event means for the answer (pure)
tool_rounds.py   runs the tools the model calls; limits.py bounds one answer
turn.py          one turn that runs here; stop_scope.py ends it early
running.py       the turns that run in this process, each as a task
supervisor.py    questions and button presses come in; turns are handed over at shutdown
intake.py        claims a question, in the order of its thread (thread_queue.py, pure)
concurrency.py   how many answers are written at the same time
revisions.py     a question is deleted or edited in Slack
retry.py         the same question as another turn (pure)
thread_stop.py   Slack's own Stop, which names a thread
durability/      checkpoints, leases, failure detection and resuming after a crash
ephemeral/       what an asker does with an ephemeral answer: show it live, share it, continue it
"""
