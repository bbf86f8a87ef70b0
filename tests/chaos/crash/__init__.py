"""What a killed bot leaves behind at any step of an answer, and what the next one makes of it.

points.py     names every step a bot takes towards Slack, the model and the database; dies at one
process.py    the bot's own command line with these points in it, forked from one parent
bots.py       starts and ends such processes
testbed.py    the Slack, the model and the database they use; slack_observer.py, open_turns.py:
              what Slack and the database show of them
questions.py  the questions, and what Slack must show of each in the end; timeline.py: why it does
              not
case.py       one question, its crashes and its end; matrix.py: a crash at every point in turn
outcome.py    what came of a case, or of a plan of random crashes
random_crashes.py  many questions at once, and crashes at random instants
databases.py  an empty database for each of them
`python -m tests.chaos.crash` runs all of it and counts; test_*.py run a selection.
"""
