"""Answers questions: each turn ends with one answer, even if processes die on the way.

A turn is one attempt to answer one question. It is a row of the database and, in the process that
owns it, a task. A process that takes a turn over after a crash continues the same turn. A retry is
a new turn of the same question.

answering/       writes one answer: asks the model, runs its tools, shows the text
state/           the state of one answer (pure)
turn.py          one turn that runs here; stop_scope.py ends it early
running.py       the turns that run in this process, each as a task
supervisor.py    questions and button presses come in; turns are handed over at shutdown
intake.py        claims a question; those of a thread wait their turn (thread_queue.py, pure)
revisions.py     handles questions that are deleted or edited in Slack
retry.py         builds the next turn of a question, to ask it again (pure)
thread_stop.py   Slack's own Stop, which names a thread
durability/      checkpoints, leases, failure detection and resuming after a crash
ephemeral/       shows an ephemeral answer live, shares it, or continues it, as its asker wishes
"""
