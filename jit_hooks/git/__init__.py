"""Everything that is read from git: its commands, objects, snapshots and state."""
