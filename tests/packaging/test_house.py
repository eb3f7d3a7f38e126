"""The house rules that no linter knows: sizes and names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from zfsctl.cli.verbs import VERBS

ROOT: Final = Path(__file__).resolve().parents[2]
MODULES: Final = sorted((ROOT / "zfsctl").rglob("*.py"))
TEST_MODULES: Final = sorted((ROOT / "tests").rglob("*.py"))

MOST_LINES: Final = 400
VAGUE_NAMES: Final = {"utils", "util", "helpers", "helper", "manager", "common", "base", "misc"}
PROMISE: Final = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_the_package_is_found_at_all() -> None:
    assert ROOT / "zfsctl" / "errors.py" in MODULES
    assert Path(__file__).resolve() in TEST_MODULES


def test_no_module_is_longer_than_400_lines() -> None:
    lines = {name_of(path): path.read_text().count("\n") for path in MODULES}
    too_long = {name: count for name, count in lines.items() if count > MOST_LINES}

    assert too_long == {}


def test_no_module_or_package_has_a_name_that_says_nothing() -> None:
    vague = [name_of(path) for path in MODULES if VAGUE_NAMES & {path.stem, *path.relative_to(ROOT).parts}]

    assert vague == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [name_of(path) for path in MODULES if not path.read_text().lstrip().startswith(('"""', 'r"""'))]

    assert silent == []


def test_nothing_is_promised_for_later() -> None:
    promises = [
        f"{name_of(path)}:{number}: {line.strip()}"
        for path in [*MODULES, *TEST_MODULES]
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if PROMISE.search(line)
    ]

    assert promises == []


def test_the_readme_has_a_line_for_every_command() -> None:
    table = (ROOT / "README.md").read_text().split("## Day by day")[1].split("\n## ")[0]
    named = set(re.findall(r"^\| `zfsctl ([a-z]+)", table, re.MULTILINE))

    assert named == set(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_command_has_its_page_and_can_be_completed(verb: str) -> None:
    shells = [path for path in (ROOT / "completions").iterdir() if re.search(rf"\b{verb}\b", path.read_text())]

    assert (ROOT / "man" / f"zfsctl-{verb}.8").is_file()
    assert {path.name for path in shells} == {"zfsctl.bash", "_zfsctl", "zfsctl.fish"}
