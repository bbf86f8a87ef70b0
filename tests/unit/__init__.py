"""Tests of one package each, in folders named like those of `bot/`."""
