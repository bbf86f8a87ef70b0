"""Alembic's script directory: Alembic runs env.py, which applies the revisions in versions/."""
