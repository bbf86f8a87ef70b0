"""What must outlive a moment: questions, who answers them, how far each answer is.

store.py     the turns of all replicas; its transactions are in claiming.py, turning.py, wishing.py,
             remaining.py and pruning.py
chain.py     the names of the turns of one question
ledger.py    the budgets all replicas share
clock.py     the time on one machine, whatever its time of day is set to
records.py   the values both hand out; rows.py how they lie in the tables of tables.py
database.py  opened, migrated (migrating.py, migrations/), asked by readiness
sqlite.py    how a transaction is run on a file; postgres.py on a server, which also stirs other
             replicas (listening.py); attempt.py how long a caller waits for one

Nobody outside of this room sees SQL, a connection or an error of a driver. Nothing here knows
Slack or the model's server, or decides when a turn is taken over.
"""
