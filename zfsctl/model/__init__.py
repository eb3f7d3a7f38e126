"""The words of zfsctl as frozen values: no I/O, and nothing but the standard library."""
