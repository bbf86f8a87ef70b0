"""Slack's rate limits.

limiters.py      counts the calls of one process (pure)
read_limit.py    limits the calls that read messages
shared_quota.py  shares a limit with other replicas
"""
