"""What the model may call, one file a tool. When it is called, and how often, is the turn's.

    tool.py           what a tool is: an async function with a docstring
    definition.py     its signature and docstring as a JSON schema
    toolbox.py        runs calls: in bounded time, with bounded output, without raising
    builtin.py        the tools that come with the bot, and which of them are on

    now.py            the time in a time zone
    calculate.py      arithmetic, exact where it can be
    arithmetic.py     its numbers, operators and functions
    fetch_page.py     a public web page as text
    web.py            one page over HTTP, from public addresses only
    resolver.py       names of hosts, looked up in threads of their own
    addresses.py      which hosts and addresses are public
    page_reader.py    bytes as text, HTML in a process of its own
    html_extractor.py  that process: HTML in, title and text out
    search_thread.py  words in the present Slack thread

A tool knows of the turn it is called in what `ToolContext` tells, and no more.
"""
