"""Bots that are killed, cut off and starved, as real processes.

crash/      `kill -9` before and after every step of a turn, and at random instants
replicas/   several bots on one database that are killed and replaced under load
faults/     a database, disk, clock or network that fails
"""
