"""The text of one answer. Pure.

answer_text.py      the text as events: deltas, activity, citations
parts.py            the text by part, so that lost deltas can be replaced
part_locator.py     which part an event belongs to
healing.py          merges streamed text with the server's confirmation of it
markup/             removes markup that is meant for programs
activity_labels.py  what the model does besides writing, as labels for the reader
"""
