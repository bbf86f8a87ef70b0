"""Socket Mode: several connections, each replaced before Slack closes it.

pool.py        keeps the connections open     connection.py  one of them
backoff.py     when to try again (pure)       outage_log.py  what is logged of an outage
"""
