"""A prompt as the JSON that is sent. Pure.

bodies.py       the body of a request, in both formats
tool_rounds.py  earlier rounds of tool calls, sent back unchanged
attachments.py  pictures and files of a message
attribution.py  the author of each message, in a form that names and texts can't forge
"""
