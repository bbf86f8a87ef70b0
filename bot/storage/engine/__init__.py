"""How transactions are run, on SQLite and on PostgreSQL.

database.py       the open database, and whether it is ready
deadline.py       the deadline of a transaction
sqlite.py         transactions on a file; postgres.py on a server
notifications.py  LISTEN and NOTIFY of PostgreSQL
"""
