"""Our upstream and our demo model against servers and clients that nobody here wrote.

test_aimock*    aimock, which .ci/run installs (aimock.py finds it, starts it, teaches it)
gateways        litellm, llama.cpp's server, any other that runs: a command that prints a table
background      pydantic-ai in background mode, resuming our demo model: a command
"""
