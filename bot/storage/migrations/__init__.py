"""The folder of Alembic: it runs env.py; versions/ has the revisions."""
