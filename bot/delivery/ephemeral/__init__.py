"""Ephemeral answers, which only the asker sees.

reply.py          an answer that replaces the command's acknowledgement, or follows it
live_view.py      shows the answer in place of the acknowledgement while it is written
final_send.py     sends the final message, with retries
response_urls.py  how often and until when Slack's response URLs can be used (pure)
registry.py       finds the ephemeral answers of this process by their turn
public.py         `#public`: a command that is answered in the channel
"""
