"""What must outlive a moment: questions, who answers them, how far each answer is.

    store.py          the turns of all replicas; its transactions are in claiming.py, turning.py,
                      wishing.py, remaining.py and pruning.py
    turn_ids.py       the ids of the turns of one question
    rate_slots.py     limits that all replicas share
    process_locks.py  which processes on this machine are alive
    clock.py          a clock that nobody sets
    records.py        the values the store takes and returns; rows.py as rows of tables.py
    engine/           connections, transactions and their deadlines; SQLite and PostgreSQL
    migrating.py      Alembic, under a lock; migrations/ are its revisions

Nobody outside of this room sees SQL, a connection or an error of a driver. Nothing here knows
Slack or the model's server, or decides when a turn is taken over.
"""
