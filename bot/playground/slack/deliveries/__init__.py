"""What the local Slack sends to the app, and what it does with the responses.

events        bodies of the Events API          interactions  bodies of presses, modals, commands
dispatch      acknowledgements, redelivery      responding    what a `response_url` accepts
sockets       Socket Mode                       webhooks      signed HTTP requests
"""
