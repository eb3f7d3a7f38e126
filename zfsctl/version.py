"""The version of this program, read from one place so that `--version` needs no import of metadata."""

VERSION = "0.1.0"
