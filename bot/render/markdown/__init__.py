"""Markdown as it grows.

scan.py      text as blocks (blocks.py)
inline.py    code, links and emphasis inside a paragraph
close.py     open markup is closed, or held back while the text grows
reopen.py    what was open at a cut is opened again behind it
boundary.py  the best place to end a message
"""
