"""What is left over, from facts alone; and the lines to paste, which two shells read."""

from __future__ import annotations

import shlex

import pytest

from zfsctl.model.dataset import Bookmark, Dataset, DatasetKind
from zfsctl.model.facts import Chains, HostFacts
from zfsctl.model.policy import HostEntry, PolicyFile, SshSettings
from zfsctl.planner.leaks import Known, leaks_on
from zfsctl.planner.pasting import line_for

POLICY = PolicyFile(
    hosts={
        "local": HostEntry("local", ""),
        "alpha": HostEntry("alpha", "alpha.lan"),
        "beta": HostEntry("beta", "10.0.0.9", SshSettings(user="op", port=2222, sudo=True)),
    }
)
NOTHING = Known(POLICY, (), (), ())


@pytest.mark.parametrize("host", ["local", "alpha", "beta"])
@pytest.mark.parametrize("name", ["tank/a@b", "tank/a b@c  d", "tank/a#b", "tank/a'b", 'tank/"$HOME"', "#x"])
def test_a_line_to_paste_reaches_zfs_as_it_is(host: str, name: str) -> None:
    line = line_for(POLICY, host, "zfs", "destroy", name)

    words = shlex.split(line)
    if host != "local":
        assert words[0] == "ssh"
        at = words.index("op@10.0.0.9" if host == "beta" else "alpha.lan")
        words = shlex.split(" ".join(words[at + 1 :]))
    assert words == (["sudo"] if host == "beta" else []) + ["zfs", "destroy", name]


def leaks(chains: Chains, **changes: object) -> list[tuple[str, str]]:
    dataset = Dataset("tank/a", DatasetKind.FILESYSTEM, 1, **changes)
    host = HostFacts("alpha", 0, datasets={"tank/a": dataset}, snapshots={"tank/a": ()}, chains=chains)
    return [(finding.code, finding.hint.partition("alpha.lan ")[2]) for finding in leaks_on(host, NOTHING)]


def test_a_first_receive_that_cannot_be_resumed_is_only_looked_at() -> None:
    assert leaks(Chains(), inconsistent=True) == [("partial-receive", "zfs list -o name,used,inconsistent tank/a")]
    assert leaks(Chains(), receive_resume_token="1-a-b") == [("partial-receive", "zfs receive -A tank/a")]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("zfsctl-copy-0123456789abcdef", True),
        ("zfsctl-copy-0123456789abcde", False),
        ("zfsctl-copy-0123456789ABCDEF", False),
        ("zfsctl-0123456789abcdef", False),
        ("mine-copy-0123456789abcdef", False),
    ],
)
def test_only_bookmarks_of_the_form_of_a_cursor_are_told(name: str, found: bool) -> None:
    chains = Chains(bookmarks={"tank/a": (Bookmark("tank/a", name, 5, 5, 5),)})

    assert leaks(chains) == ([("leaked-cursor", f"zfs destroy tank/a#{name}")] if found else [])


def test_what_a_replication_by_hand_goes_on_from_is_told_as_that() -> None:
    host = HostFacts("alpha", 0, chains=Chains(holds={"tank/a@s": ("zfsctl:by-hand-0123abcd:base",)}))

    (finding,) = leaks_on(host, NOTHING)

    assert "goes on from there when it is repeated" in finding.message


@pytest.mark.parametrize(
    ("tag", "found"),
    [("zfsctl:copy:send", True), ("zfsctl:copy:base", True), ("zfsctl:copy", False), ("mine", False)],
)
def test_only_holds_of_the_form_of_ours_are_told(tag: str, found: bool) -> None:
    chains = Chains(holds={"tank/a@s": (tag,)})

    assert leaks(chains) == ([("leaked-hold", f"zfs release {tag} tank/a@s")] if found else [])
