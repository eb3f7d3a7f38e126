"""The command line: parse, call operations, render, ask, exit."""
