"""TRY: a small local Slack and a demo model in which the real bot runs as its own process.

It knows nothing of the bot: the two talk over HTTP and WebSocket only. It has Slack's errors and
Slack's limits, so that a bot that works here works in Slack.

    slack/   the workspace and its Web API       model/    the demo model
    page/    the page in the browser             board     active faults, and the log
    play     starts all parts                    process   the bot's process (see leash)
"""
