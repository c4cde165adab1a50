"""Stores, damages and faults for tests: ours, and those of programs that write stores."""
