"""The local Slack of the playground: a workspace, its APIs, and Slack's rules.

workspace   state, and what people do          server    mounts Web API, Socket Mode, HTTP
web_api     one small function per method      limits    rolling-minute tiers, 429
deliveries  what is sent to the app            blocks    what Slack refuses in blocks
files       uploads, and who may fetch them    records   values with their JSON
"""
