"""A CI run skips nothing and runs real-host tests; elsewhere a skip is only told."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]

PASSES = "def test_passes(): pass\n"
SKIPS = "import pytest\ndef test_skips(): pytest.skip('for a reason')\n"
EXPECTED_FAILURE = "import pytest\n@pytest.mark.xfail\ndef test_known(): assert False\n"
# What a test on a real host leaves behind for the tally, without booting one.
ON_A_HOST = """
import pytest
from tests.testbed.fixtures import VERSION_KEY
@pytest.mark.zfs
def test_on_a_host(pytestconfig): pytestconfig.stash[VERSION_KEY] = "2.3.9"
"""


def run_pytest(folder: Path, text: str, *words: str, ci: bool, floor: int = 0) -> tuple[int, str]:
    """Run pytest on one file with only the plug-in of the testbed; its exit code and output."""
    (folder / "pyproject.toml").write_text(
        f'[tool.pytest.ini_options]\nmarkers = ["zfs"]\n[tool.zfsctl.tests]\nreal_host_floor = {floor}\n'
    )
    (folder / "test_inner.py").write_text(text)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "ZFSCTL"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.testbed.fixtures", "-p", "no:cacheprovider", *words],
        cwd=folder,
        env=environment
        | {
            "PYTHONPATH": str(REPOSITORY),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "ZFSCTL_CI": "1" if ci else "0",
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "words", "ci", "floor", "code", "told"),
    [
        pytest.param(SKIPS, (), False, 5, 0, "1 skipped", id="a-skip-elsewhere-passes"),
        pytest.param(SKIPS, (), True, 0, 1, "skipped in CI: test_inner.py::test_skips", id="a-skip-in-ci-fails"),
        pytest.param(EXPECTED_FAILURE, (), True, 0, 0, "1 xfailed", id="a-known-failure-is-no-skip"),
        pytest.param(PASSES, (), True, 1, 1, "0 real-host tests ran, the floor is 1", id="too-few-in-ci-fails"),
        pytest.param(PASSES, ("-m", "not zfs"), True, 1, 0, "1 passed", id="no-floor-when-not-asked-for"),
        pytest.param(ON_A_HOST, (), True, 1, 0, "real hosts: 1 tests on OpenZFS 2.3.9", id="enough-in-ci-passes"),
        pytest.param(
            ON_A_HOST, ("--openzfs", "2.1"), True, 9, 0, "real hosts: 1 tests", id="the-floor-is-for-the-default"
        ),
        pytest.param(
            PASSES, ("--openzfs", "2.1"), True, 0, 1, "the floor is 1", id="another-version-runs-at-least-one"
        ),
    ],
)
def test_what_ci_accepts(
    tmp_path: Path, text: str, words: tuple[str, ...], ci: bool, floor: int, code: int, told: str
) -> None:
    returned, output = run_pytest(tmp_path, text, *words, ci=ci, floor=floor)

    assert told in output
    assert code == returned
