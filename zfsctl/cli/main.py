"""Where the program begins."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line of this process; the exit code to leave with."""
    arguments = sys.argv[1:]
    if arguments in (["--version"], ["-V"]):
        # Before anything else is imported: scripts ask for the version often.
        from zfsctl.version import VERSION

        sys.stdout.write(f"zfsctl {VERSION}\n")
        return 0
    try:
        from zfsctl.cli.process import run

        return run(arguments)
    except KeyboardInterrupt:
        # Ctrl-C while modules were still being imported: nothing has begun.
        return 130


if __name__ == "__main__":
    sys.exit(main())
