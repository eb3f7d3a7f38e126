"""Where hosts cannot be made, the reason says what is missing and what adds it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.testbed import machine
from tests.testbed.machine import CannotMakeHosts, check_machine, parse_debian_archive
from tests.testbed.recipe import RECIPES, Recipe

POLICY = """\
Package files:
 100 /var/lib/dpkg/status
     release a=now
 500 https://other.example/apt stable/main amd64 Packages
     release o=Other,a=stable,n=stable,l=Other,c=main,b=amd64
 500 https://deb.example/debian-security bookworm-security/main amd64 Packages
     release v=12,o=Debian,a=stable-security,n=bookworm-security,l=Debian-Security,c=main,b=amd64
 500 https://deb.example/debian bookworm/contrib amd64 Packages
     release v=12.11,o=Debian,a=stable,n=bookworm,l=Debian,c=contrib,b=amd64
 500 https://deb.example/debian bookworm/main amd64 Packages
     release v=12.11,o=Debian,a=stable,n=bookworm,l=Debian,c=main,b=amd64
"""


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        pytest.param(POLICY, "https://deb.example/debian", id="main-of-debian-among-others"),
        pytest.param(POLICY.replace("o=Debian", "o=Ubuntu"), None, id="no-debian"),
        pytest.param("", None, id="no-lists"),
    ],
)
def test_the_archive_is_the_one_of_this_machine(policy: str, expected: str | None) -> None:
    assert expected == parse_debian_archive(policy)


@pytest.mark.parametrize(
    ("programs", "user", "building", "reason"),
    [
        pytest.param({"apt-get"}, 1000, False, "sudo apt-get install openssh-client qemu-system-x86", id="not-root"),
        pytest.param(set(), 0, False, "no apt-get; install what gives openssh-client", id="no-apt"),
        pytest.param(
            {"apt-get", *machine.PROGRAMS, *machine.BUILD_PROGRAMS}, 1000, True, "sudo make test", id="no-image-no-root"
        ),
    ],
)
def test_the_reason_names_what_adds_it(
    monkeypatch: pytest.MonkeyPatch, programs: set[str], user: int, building: bool, reason: str
) -> None:
    monkeypatch.setattr(machine, "find_program", lambda name: name if name in programs else None)
    monkeypatch.setattr(machine, "KEYRING", Path("/"))
    monkeypatch.setattr(os, "geteuid", lambda: user)

    with pytest.raises(CannotMakeHosts, match=reason):
        check_machine(building=building)


def test_root_with_apt_can_make_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "find_program", lambda name: name if name == "apt-get" else None)
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    check_machine(building=True)

    assert "mmdebstrap" in machine.missing_packages(building=True)


def test_an_image_is_named_by_all_that_goes_into_it() -> None:
    keys = {recipe.key for recipe in RECIPES.values()}
    other = Recipe("2.3", "trixie", "trixie-backports")

    assert len(RECIPES) == len(keys)
    assert other.key not in keys
    assert RECIPES["2.3"].key == Recipe("2.3", "trixie", "trixie").key
