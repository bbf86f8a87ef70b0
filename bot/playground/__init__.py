"""TRY: a small local Slack and a demo model in which the real bot runs as its own process.

Somebody else's server: it knows nothing of the bot and speaks HTTP and WebSocket only, with
Slack's errors and Slack's limits, so that what works here works there.

    workspace   state, and what people do          board     faults in force, log
    server      the doors: Web API, Socket Mode    limits    rolling-minute tiers, 429
    web_api_*   one small function per method      blocks    what Slack refuses in blocks
    events      Events API bodies                  dispatch  acknowledgements, redelivery
"""
