"""What a running bot does while something it stands on is away, and when that is back.

process.py   the bot's own command line, on a clock that can be set, in a hurry where wished
wire.py      the network before Slack: held up or reset, both ways, then well again
disk.py      files that become read-only; a small disk is in tests/unit/storage/disks.py
seen.py      what Slack, the probes and the log show of it
test_*.py    one fault each; their bots are real processes before a local Slack and a demo model
`python -m tests.chaos.faults` plays the two longest ones at full length and prints what happened.
"""
