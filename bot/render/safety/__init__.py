"""Neutralises text: it can't mention anybody, run a command or show a misleading link. Pure.

neutralise.py      neutralises a text; other packages use only this
links.py           allowed link targets, and labels that have to name the host
labels.py          labels that look like a URL, and the remark with the real host
addresses.py       bare URLs next to emphasis, and link targets with blanks
slack_and_html.py  Slack's links and HTML as Markdown
slack_forms.py     `<…>` that Slack would act on
tags.py            HTML tags
edits.py           edits of a text, and spans
costs.py           upper bound of the bytes that neutralising adds
"""
