"""Benchmarks: figures to read, never tests that fail on a slow machine. `make bench` runs them."""
