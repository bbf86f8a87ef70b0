"""The text of one answer. Pure.

answer_text.py      what readers get of it: text, activity, sources
parts.py            the text by part, so that lost deltas heal; places.py which part is meant
healing.py          a confirmed text never becomes less
markup/             what is meant for programs does not reach people
activity_labels.py  what the model does, in words
"""
