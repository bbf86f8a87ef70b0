"""Socket Mode: several connections, each replaced before Slack closes it.

pool.py        keeps the connections open and replaces them
connection.py  receives from one connection and acknowledges
backoff.py     delay before the next attempt, and advice for operators (pure)
outage_log.py  logs an outage once
"""
