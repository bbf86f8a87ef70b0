"""Several real bots on one PostgreSQL, killed and replaced while questions come in.

balancer.py  between Slack and replicas over HTTP: every event up to three times, anywhere
fleet.py     the replicas: started, killed, restarted, and who was found to be gone when
load.py      the questions, and what is wrong in the end
`python -m tests.chaos.replicas` runs it at full size and counts; test_*.py run it small.
"""
