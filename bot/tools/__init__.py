"""The tools the model may call. How many rounds of calls an answer may have is up to the turn.

    tool.py           what a tool is: an async function with a docstring
    definition.py     its signature and docstring as a JSON schema
    toolbox.py        runs calls: in bounded time, with bounded output, without raising
    builtin.py        the tools that come with the bot, by name

    now.py            the time in a time zone
    calculate.py      arithmetic, exact where possible
    arithmetic.py     its numbers, operators and functions
    web/              reads a public web page as text
    search_thread.py  searches the current Slack thread

All a tool gets of its turn is `ToolContext`.
"""
