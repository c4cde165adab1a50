"""Three-way merge of the records of a store, and the audit of merges: pure."""
