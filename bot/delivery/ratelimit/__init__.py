"""Slack's limits: budgets.py counts one process's calls (pure), shared_quota.py divides a limit
among the replicas.
"""
