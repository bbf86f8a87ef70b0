"""What people press: Slack's interactive payloads.

buttons.py            buttons below an answer
ephemeral_buttons.py  buttons on messages that only the asker sees
menu.py               the menu below an answer
feedback.py           votes on an answer, and the modal that asks for a reason
"""
