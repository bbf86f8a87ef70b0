"""Slack's rate limits.

limiters.py      counts the calls of one process (pure)
shared_quota.py  shares a limit with other replicas
"""
