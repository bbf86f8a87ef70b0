"""The local Slack of the playground: a workspace, its APIs, and Slack's rules.

workspace   state, and what people do          server    mounts Web API, Socket Mode, HTTP
web_api_*   one small function per method      limits    rolling-minute tiers, 429
events      Events API bodies                  blocks    what Slack refuses in blocks
dispatch    acknowledgements, redelivery       records   values with their JSON
files       uploads, and who may fetch them
"""
