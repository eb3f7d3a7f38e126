"""What exit codes and stderr mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zfsctl.model.command import Completed
from zfsctl.zfs.failures import Failure, FailureKind, MemberFailure, kind_of, messages_of, parse_failure

USAGE = "usage:\n\tsnapshot [-r] [-o property=value] ... <filesystem|volume>@<snap> ...\n\nFor the property list, run"


def failed(stderr: str, exit_code: int = 1) -> Completed:
    """A command that failed."""
    return Completed(("zfs", "x"), exit_code, "", stderr)


def failure_of(stderr: str, *names: str, exit_code: int = 1) -> Failure:
    """The failure that `stderr` tells."""
    failure = parse_failure(failed(stderr, exit_code), names)
    assert failure is not None
    return failure


def test_exit_0_is_no_failure_whatever_was_said() -> None:
    assert parse_failure(failed("cannot mount 'tank/a': busy\n", 0)) is None


@pytest.mark.parametrize(
    ("stderr", "exit_code", "kind"),
    [
        pytest.param("cannot open 'tank/x': dataset does not exist\n", 1, FailureKind.DATASET_MISSING, id="missing"),
        pytest.param(
            f"cannot open 'tank/x': dataset does not exist\n{USAGE}", 2, FailureKind.DATASET_MISSING, id="with-usage"
        ),
        pytest.param("bookmark 'tank/a#b' does not exist.\n", 1, FailureKind.DATASET_MISSING, id="bookmark-missing"),
        pytest.param("cannot open 'tank': no such pool\n", 1, FailureKind.POOL_MISSING, id="no-pool"),
        pytest.param(
            "cannot create snapshot 'tank/a@s': dataset already exists\nno snapshots were created\n",
            1,
            FailureKind.EXISTS,
            id="snapshot-exists",
        ),
        pytest.param("cannot create bookmark 'tank/a#b': bookmark exists\n", 1, FailureKind.EXISTS, id="bookmark"),
        pytest.param(
            "cannot create snapshots : multiple snapshots of same fs not allowed\nno snapshots were created\n",
            1,
            FailureKind.SEVERAL_OF_ONE_DATASET,
            id="several-of-one-dataset",
        ),
        pytest.param("cannot create snapshots : out of space\n", 1, FailureKind.OUT_OF_SPACE, id="full"),
        pytest.param("cannot destroy snapshots: permission denied\n", 1, FailureKind.PERMISSION, id="permission"),
        pytest.param(
            "Permission denied the ZFS utilities must be run as root.\n", 1, FailureKind.PERMISSION, id="root"
        ),
        pytest.param("sudo: a password is required\n", 1, FailureKind.PERMISSION, id="sudo"),
        pytest.param("sudo: zfs: command not found\n", 1, FailureKind.NO_PROGRAM, id="sudo-finds-nothing"),
        pytest.param("sh: 1: zfs: not found\n", 127, FailureKind.NO_PROGRAM, id="not-installed"),
        pytest.param("cannot create snapshots : pool is read-only\n", 1, FailureKind.READ_ONLY, id="read-only"),
        pytest.param(
            "cannot create snapshots : pool I/O is currently suspended\n", 1, FailureKind.SUSPENDED, id="suspended"
        ),
        pytest.param("cannot create snapshot 'x': name is too long\n", 1, FailureKind.NAME_TOO_LONG, id="long-name"),
        pytest.param(
            "could not find any snapshots to destroy; check snapshot names.\n", 1, FailureKind.NONE_FOUND, id="none"
        ),
        pytest.param(
            "cannot destroy 'tank/a': filesystem has children\nuse '-r' to destroy the following datasets:\ntank/a/b\n",
            1,
            FailureKind.HAS_CHILDREN,
            id="children",
        ),
        pytest.param(
            "cannot hold snapshot 'tank/a@s': tag already exists on this dataset\n", 1, FailureKind.TAG_EXISTS, id="tag"
        ),
        pytest.param(
            "cannot release hold from snapshot 'tank/a@s': no such tag on this dataset\n",
            1,
            FailureKind.NO_SUCH_TAG,
            id="no-tag",
        ),
        pytest.param("cannot receive: destination tank/a space quota exceeded.\n", 1, FailureKind.QUOTA, id="quota"),
        pytest.param(
            "The ZFS modules are not loaded.\nTry running 'modprobe zfs' as root to load them.\n",
            1,
            FailureKind.NOT_LOADED,
            id="no-module",
        ),
        pytest.param("cannot iterate filesystems: I/O error\n", 1, FailureKind.INPUT_OUTPUT, id="input-output"),
        pytest.param("internal error: cannot snapshot: Invalid exchange\n", 134, FailureKind.UNKNOWN, id="abort"),
        pytest.param("something that nobody has seen before\n", 1, FailureKind.UNKNOWN, id="unknown-words"),
        pytest.param("", 255, FailureKind.UNKNOWN, id="no-word-at-all"),
    ],
)
def test_the_kind_of_a_failure(stderr: str, exit_code: int, kind: FailureKind) -> None:
    assert failure_of(stderr, exit_code=exit_code).kind is kind


def test_the_text_is_kept_without_the_usage_that_zfs_appends() -> None:
    failure = failure_of(f"cannot open 'tank/x': dataset does not exist\n{USAGE}", exit_code=2)

    assert failure.text == "cannot open 'tank/x': dataset does not exist"
    assert failure.exit_code == 2


def test_a_failure_without_a_word_still_says_something() -> None:
    assert failure_of("", exit_code=255).first_line == "exit 255 without a word"


def test_a_failed_snapshot_names_each_member_that_could_not_be_taken() -> None:
    failure = failure_of(
        "cannot create snapshot 'tank/a@s': dataset already exists\n"
        "cannot create snapshot 'tank/b c@s': dataset is busy\n"
        "no snapshots were created\n",
        "tank/a@s",
        "tank/b c@s",
        "tank/d@s",
    )

    assert failure.members == (
        MemberFailure("tank/a@s", FailureKind.EXISTS, "dataset already exists"),
        MemberFailure("tank/b c@s", FailureKind.BUSY, "dataset is busy"),
    )
    assert failure.others == ()


def test_a_dataset_that_is_gone_stands_for_its_snapshot() -> None:
    failure = failure_of(f"cannot open 'tank/b': dataset does not exist\n{USAGE}", "tank/a@s", "tank/b@s", exit_code=2)

    assert [(member.name, member.kind) for member in failure.members] == [("tank/b@s", FailureKind.DATASET_MISSING)]


HELD_SINCE_2_3_3 = "it's being held. Run 'zfs holds -r tank/a: b@x: y' to see holders."


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        pytest.param("dataset is busy", FailureKind.BUSY, id="held-before-2.3.3-or-in-use"),
        pytest.param(HELD_SINCE_2_3_3, FailureKind.HELD, id="held-since-2.3.3"),
        pytest.param("snapshot is cloned", FailureKind.CLONED, id="cloned-meanwhile"),
        pytest.param("some new reason", FailureKind.UNKNOWN, id="unknown"),
    ],
)
def test_a_failed_destroy_names_its_members_even_with_colons_in_their_names(text: str, kind: FailureKind) -> None:
    failure = failure_of(
        f"cannot destroy snapshot tank/a: b@x: y: {text}\n", "tank/a: b@x: y", "tank/a: b@x", "tank/a: b@z"
    )

    assert failure.kind is kind
    assert failure.members == (MemberFailure("tank/a: b@x: y", kind, text),)


def test_clones_are_told_with_their_names() -> None:
    failure = failure_of(
        "cannot destroy 'tank/a@s': snapshot has dependent clones\n"
        "use '-R' to destroy the following datasets:\n"
        "tank/c\n"
        "tank/a/%recv\n"
        "cannot destroy 'tank/a@t': snapshot has dependent clones\n"
        "use '-R' to destroy the following datasets:\n"
        "tank/d\n",
        "tank/a@s",
        "tank/a@t",
        "tank/a@u",
    )

    assert [(member.name, member.kind) for member in failure.members] == [
        ("tank/a@s", FailureKind.CLONED),
        ("tank/a@t", FailureKind.CLONED),
    ]
    assert "tank/a/%recv" in failure.members[0].text
    assert "tank/d" not in failure.members[0].text


def test_what_names_no_member_is_kept_apart() -> None:
    failure = failure_of(
        "cannot open 'tank/a@s': dataset does not exist\ncannot iterate filesystems: I/O error\n", "tank/a@s"
    )

    assert failure.others == ("cannot iterate filesystems: I/O error",)


def test_lines_that_belong_together_are_one_message() -> None:
    stderr = (
        "cannot receive incremental stream: destination bk/a has been modified\n"
        "since most recent snapshot\n"
        "\n"
        "cannot open 'x': dataset does not exist\n"
    )

    assert list(messages_of(stderr)) == [
        "cannot receive incremental stream: destination bk/a has been modified\nsince most recent snapshot",
        "cannot open 'x': dataset does not exist",
    ]
    assert list(messages_of("")) == []


def test_a_text_broken_in_the_middle_is_still_known() -> None:
    assert kind_of("cannot destroy 'tank/a@s': snapshot has\ndependent clones") is FailureKind.CLONED


@given(st.text(), st.lists(st.text(max_size=12), max_size=3), st.integers(1, 255))
def test_whatever_is_said_a_failure_is_one_and_names_only_what_was_asked_about(
    stderr: str, names: list[str], exit_code: int
) -> None:
    failure = failure_of(stderr, *names, exit_code=exit_code)

    assert {member.name for member in failure.members} <= set(names)
    assert failure.first_line
