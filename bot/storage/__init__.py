"""Stores what must survive a crash: questions, their owners, and the progress of each answer.

    store.py            the turns of all replicas, as one replica sees them
    retention.py        deletes what has passed its retention time
    votes.py            the votes of people on answers
    unknown_commits.py  claims whose commit was not confirmed
    transactions/       what the methods of the store do within a transaction
    thread_activity.py  whether the bot has answered in a thread, and when it is to answer there
    channel_settings.py what people set for one channel
    rate_slots.py       rate limits that all replicas share
    process_locks.py    which processes on this machine are alive
    records.py          the values the store takes and returns; rows.py converts rows of tables.py
    turn_ids.py         the ids of the turns of one question
    clock.py            clocks that do not jump when the system clock is set
    engine/             connections, transactions and their deadlines; SQLite and PostgreSQL
    migrating.py        runs Alembic under a lock; migrations/ are the revisions

Other packages see no SQL, no connection and no error of a driver. This package knows neither Slack
nor the model's server, and does not decide when a turn is taken over.
"""
