"""What tests of several folders use.

project.py      where the project and the recorded data are
corpus/         streams, errors, payloads and texts of every recorded shape, written by us
shared_data.py  the corpora: the synthetic one always, the recorded one where it is
postgres.py     a real PostgreSQL server
local_server.py  an aiohttp application on a free port
paging.py       pages as Slack cuts them
layout_rules.py the order of the packages, and the checks of imports that keep it
references.py   whether what documents and code refer to exists
coverage_table.py  `make coverage`: how much of each package the tests reach
docs.py         `python -m tests.support.docs` writes what is generated in documents
"""
