"""Everything that is read from the disk: listings, files, locks and processes of this machine."""
