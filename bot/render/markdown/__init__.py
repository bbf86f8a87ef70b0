"""Parses Markdown that may still grow.

scan.py      parses a text into blocks
blocks.py    the blocks, and questions about single lines
inline.py    parses code, links and emphasis inside a paragraph
close.py     closes open markup, and holds back what is not decided yet
reopen.py    opens markup again after a cut
boundary.py  finds the best place to end a message
"""
