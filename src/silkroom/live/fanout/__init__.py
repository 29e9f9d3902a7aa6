"""Fan-out engine: one room event to all its watchers. Import `silkroom.live.fanout.door` only."""
