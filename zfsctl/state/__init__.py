"""The only package that opens the state file: a journal and a cache, never the truth."""
