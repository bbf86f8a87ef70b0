"""What a killed bot leaves behind at any step of an answer, and what the next one makes of it.

points.py    names every step a bot takes towards Slack, the model and the database; dies at one
process.py   the bot's own command line with these points in it, forked from a warm parent
bots.py      starts and ends such processes
asked.py     the questions, and what Slack must show of each in the end
case.py      one question, its crashes and its end
instants.py  many questions at once and crashes at random instants
`python -m tests.crash` runs all of it and counts; test_*.py run a selection.
"""
