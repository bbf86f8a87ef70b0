"""What lets another process finish a turn: checkpoints, leases and the rules for resuming.

checkpoint.py        journals the state of one turn; some steps wait until that is written
write_behind.py      the journal: changes are merged and written in the background
leases.py            this replica's heartbeat; turns of dead replicas are taken over
failure_detector.py  which replicas are dead, by missed heartbeats (pure)
crash_limit.py       when an answer that kills processes is given up (pure)
resume.py            the state in which a turn starts or goes on here (pure)
tool_progress.py     tool rounds as they are written to a checkpoint (pure)
"""
