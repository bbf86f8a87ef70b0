"""The state of one answer. Pure: durability resumes it after a crash, answering changes it.

answer_state.py      what an upstream event means for the answer
reasoning_line.py    the line of the status that tells what the model thinks
limits.py            the limits of one answer, whatever the model does
unreadable_parts.py  sentences about parts of a question that can't be read
"""
