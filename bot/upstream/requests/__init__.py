"""A prompt as the JSON that is sent. Pure.

bodies.py       the body of a request, in both formats
rounds_back.py  earlier tool rounds, sent back as they came
attribution.py  who said what, in a form that neither names nor texts can imitate
"""
