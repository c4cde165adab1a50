"""The only writer of the program: plans are executed, journaled and undone here."""
