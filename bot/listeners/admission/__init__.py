"""What is decided about a message before it is submitted as a question.

languages.py        finds out the language of its author
follow_ups.py       messages in a thread that do not mention the bot
follow_up_gate.py   decides which of them are answered (pure)
phrases.py          recognises "thanks", "only when mentioned" and the like (pure)
thread_modes.py     carries out "only when mentioned" and "follow this thread"
bot_loops.py        keeps bots from answering each other forever
refusal_notices.py  remembers who was told that the bot does not answer them
"""
