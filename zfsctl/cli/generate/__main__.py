"""`python -m zfsctl.cli.generate [FOLDER]` writes completions/ and man/ below FOLDER, or below the present folder."""

from __future__ import annotations

import sys
from pathlib import Path

from zfsctl.cli.generate.files import generated_files


def main() -> int:
    """Write every generated file whose text has changed, and remove pages of verbs that are gone."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    files = generated_files()
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for page in sorted((folder / "man").glob("zfsctl*.[58]")):
        if f"man/{page.name}" not in files:
            page.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
