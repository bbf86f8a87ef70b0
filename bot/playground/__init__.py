"""TRY: a small local Slack and a demo model in which the real bot runs as its own process.

Somebody else's server: it knows nothing of the bot and speaks HTTP and WebSocket only, with
Slack's errors and Slack's limits, so that what works here works there.

    slack/   the workspace and its Web API       model/    the demo model
    page/    what is seen in the browser         board     faults in force, log
    play     puts it all together                process   the bot's own process (leash: no orphan)
"""
