"""The text boundary to OpenZFS, still pure: argv builders, parsers of what it prints, stderr to typed failures."""
