"""The only package that starts processes or dials hosts: run, lines and pipe, here and over SSH."""
