"""What the methods of `Store` do within one transaction. Each function takes the connection.

claiming.py            who answers a question; undoing claims whose commit is unknown
turn_updates.py        checkpoints of turns, take-overs, hand-overs
turn_commands.py       commands to the owner of a turn
remaining_question.py  a new turn for what remains after a message was deleted
replicas.py            heartbeats
voting.py              votes on answers
pruning.py             deletion of what is old
"""
