"""What a running bot does while something it depends on has failed, and once that is back.

process.py   the bot's own command line, with a clock that can be set and shorter timeouts
faulty_proxy.py  the network before Slack: held up or reset in both directions, then restored
disk.py      files that become read-only; a small disk is in tests/unit/storage/disks.py
checks.py    what Slack, the probes and the log show of it
test_*.py    one fault each; their bots are real processes before a local Slack and a demo model
`python -m tests.chaos.faults` plays the two longest ones at full length and prints what happened.
"""
