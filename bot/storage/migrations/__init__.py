"""Alembic's folder. env.py is run by Alembic, versions/ holds the revisions in their order."""
