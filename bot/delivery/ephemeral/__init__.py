"""Private answers, which only their asker sees.

reply.py          an answer that replaces its note, as it is written or at its end
live_view.py      the note while the answer is written
response_urls.py  how often and until when Slack's response URLs may be used (pure)
registry.py       finds the private answers that are under way
public.py         `#public`: a command that is answered in the channel
"""
