"""How transactions are run.

database.py       the database that is open, and whether it answers
deadline.py       how long a caller waits for a transaction
sqlite.py         transactions on a file; postgres.py on a server
notifications.py  LISTEN and NOTIFY, where the database has them
"""
