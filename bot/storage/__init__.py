"""What must outlive a moment: the database, and which questions are already taken.

In this first form the database is opened and checked, and claims live in memory.
"""
