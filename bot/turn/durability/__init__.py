"""What lets another process finish a turn: checkpoints, leases and the rules for resuming.

write_behind.py      checkpoints are queued and written in the background
leases.py            this replica's heartbeat; turns of replicas that died are taken over
failure_detector.py  which replicas are dead, by missed heartbeats (pure)
resume.py            the state in which a turn starts here, whoever began it (pure)
tool_progress.py     tool rounds as they are kept in a checkpoint (pure)
"""
