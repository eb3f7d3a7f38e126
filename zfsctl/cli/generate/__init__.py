"""Completions and manual pages, made from the command tree itself. Nothing here is loaded by a verb."""
