"""How what a receiver lacks is cut into streams."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.planner.notation import guid_of, receiver, sender, token_of
from zfsctl.model.dataset import Snapshot
from zfsctl.model.lineage import Base
from zfsctl.model.transfer import Send, on_its_own, what_is_left
from zfsctl.planner.lineage import End, find_base, lineage
from zfsctl.planner.ownership import Owners, Standing
from zfsctl.planner.sends import bytes_of, sends_from, source_of
from zfsctl.planner.streams import resumed

OWNERS = Owners("zfsctl")


def is_owned(snapshot: Snapshot) -> bool:
    return OWNERS.standing(snapshot.name) is not Standing.FOREIGN


def named(end: End) -> dict[int, str]:
    """By guid, `20T12` for a snapshot of ours, `20T12f` for another's."""
    return {one.guid: _stamp(one.name) for one in end.snapshots}


def _stamp(name: str) -> str:
    if name.startswith("auto-"):
        return f"{name[5:]}f"
    text = name.removeprefix("zfsctl-manual-").removeprefix("zfsctl-")
    return f"{text[6:8]}T{text[9:11]}"


def shown(sends: tuple[Send, ...], end: End) -> str:
    """`20T12; -i 20T12 20T13; -I 20T13 20T15`"""
    by_guid = named(end)
    lines = []
    for send in sends:
        if not send.source:
            assert not send.with_intermediates
            lines.append(by_guid[send.last.guid])
            continue
        flag = "-I" if send.with_intermediates else "-i"
        source = by_guid.get(send.source_guid or 0, "") if send.source.startswith("@") else "#"
        lines.append(f"{flag} {source} {by_guid[send.last.guid]}")
    return "; ".join(lines)


@pytest.mark.parametrize(
    ("alpha", "beta", "owned", "everything"),
    [
        pytest.param("20T12", None, "20T12", "20T12", id="one-snapshot-is-one-full-stream"),
        pytest.param(
            "20T12 20T13 20T14", None, "20T12; -I 20T12 20T14", "20T12; -I 20T12 20T14",
            id="a-first-copy-takes-all-oldest-in-full",
        ),
        pytest.param("20T12 20T13", "20T12", "-i 20T12 20T13", "-i 20T12 20T13", id="one-waits"),
        pytest.param("20T12 20T13 20T14", "20T12", "-I 20T12 20T14", "-I 20T12 20T14", id="several-wait"),
        pytest.param(
            "20T12 20T13f 20T14", "20T12", "-i 20T12 20T14", "-I 20T12 20T14", id="anothers-lies-between",
        ),
        pytest.param(
            "20T12 20T13 20T14 20T15f 20T16 20T17", "20T12",
            "-I 20T12 20T14; -i 20T14 20T16; -i 20T16 20T17", "-I 20T12 20T17",
            id="runs-are-sent-together-and-others-stepped-over",
        ),
        pytest.param(
            "20T12f 20T13 20T14f 20T15 20T16f", None, "20T13; -i 20T13 20T15", "20T12f; -I 20T12f 20T16f",
            id="a-first-copy-among-those-of-others",
        ),
        pytest.param(
            "#20T12 20T13", "20T12", "-i # 20T13", "-i # 20T13", id="from-a-bookmark",
        ),
        pytest.param(
            "#20T12 20T13 20T14 20T15", "20T12", "-i # 20T13; -I 20T13 20T15", "-i # 20T13; -I 20T13 20T15",
            id="from-a-bookmark-only-the-first-then-all-between",
        ),
        pytest.param(
            "#20T12 20T13f 20T14 20T15", "20T12", "-i # 20T14; -i 20T14 20T15", "-i # 20T13f; -I 20T13f 20T15",
            id="from-a-bookmark-across-anothers",
        ),
        pytest.param(
            "20T12 20T13m 20T14", "20T12", "-I 20T12 20T14", "-I 20T12 20T14", id="taken-by-hand-is-ours",
        ),
    ],
)  # fmt: skip
def test_streams(alpha: str, beta: str | None, owned: str, everything: str) -> None:
    for expected, is_candidate in ((owned, is_owned), (everything, lambda _: True)):
        end = sender(alpha)
        found = lineage(end, receiver(beta), is_candidate=is_candidate)
        source, guid = source_of(found.base)
        sends = sends_from(end.snapshots, found.waiting, source, guid)

        assert shown(sends, end) == expected
        brought = [ref.guid for send in sends for ref in send.snapshots]
        assert brought == [one.guid for one in found.waiting], "each of them, once and in order"


def test_a_stream_of_one_after_another_is_joined_only_from_the_second_on() -> None:
    """-I from the base would bring what lies between, so the run begins where nothing of others lies."""
    end = sender("20T12 20T12:30f 20T13 20T14 20T15")
    found = lineage(end, receiver("20T12"), is_candidate=is_owned)

    sends = sends_from(end.snapshots, found.waiting, *source_of(found.base))

    assert shown(sends, end) == "-i 20T12 20T13; -I 20T13 20T15"


@pytest.mark.parametrize(
    ("alpha", "token", "expected"),
    [
        pytest.param("20T12 20T13", "20T12>20T13", "-i 20T12 20T13", id="all-of-it"),
        pytest.param("20T12 20T13 20T14 20T15", "20T12>20T13", "-i 20T12 20T13; -I 20T13 20T15", id="and-the-rest"),
        pytest.param("20T12 20T13 20T14", "20T12>20T14", "-i 20T12 20T14", id="what-it-steps-over-is-not-sent"),
        pytest.param(
            "20T12 20T13f 20T14", "20T12>20T13f", "-i 20T12 20T13f; -i 20T13f 20T14", id="anothers-and-the-rest"
        ),
        pytest.param("#20T12 20T13 20T14", "20T12>20T13", "-i # 20T13; -i 20T13 20T14", id="from-a-bookmark"),
    ],
)
def test_what_is_sent_after_an_interrupted_stream(alpha: str, token: str, expected: str) -> None:
    end = sender(alpha)
    found = lineage(end, receiver("20T12", token=token), is_candidate=is_owned)

    sends = resumed(found, end.snapshots, found.waiting)

    assert token_of(token).to_guid == sends[0].last.guid
    assert shown(sends, end) == expected


def test_an_interrupted_first_copy_and_the_rest() -> None:
    end = sender("20T12 20T13 20T14")
    found = lineage(end, receiver("", token=">20T12", inconsistent=True), is_candidate=is_owned)

    assert shown(resumed(found, end.snapshots, found.waiting), end) == "20T12; -I 20T12 20T14"


SENT = sender("20T12 20T13 20T14 20T15f 20T16")


def streams() -> tuple[Send, ...]:
    waiting = [one for one in SENT.snapshots if is_owned(one)]
    return sends_from(SENT.snapshots, waiting, "", None)


@pytest.mark.parametrize(
    ("arrived", "left"),
    [
        pytest.param("20T10", "20T12; -I 20T12 20T14; -i 20T14 20T16", id="nothing-of-it"),
        pytest.param("20T12", "-I 20T12 20T14; -i 20T14 20T16", id="the-first"),
        pytest.param("20T13", "-i 20T13 20T14; -i 20T14 20T16", id="one-in-the-middle-of-a-stream"),
        pytest.param("20T14", "-i 20T14 20T16", id="the-end-of-a-stream"),
        pytest.param("20T16", "", id="all"),
    ],
)
def test_what_is_left_to_send(arrived: str, left: str) -> None:
    assert shown(what_is_left(streams(), guid_of(arrived)), SENT) == left


@pytest.mark.parametrize(
    ("arrived", "token", "expected"),
    [
        pytest.param("20T10", "20T12", "20T12; -I 20T12 20T14; -i 20T14 20T16", id="a-full-stream"),
        pytest.param("20T12", "20T13", "-i 20T12 20T13; -i 20T13 20T14; -i 20T14 20T16", id="the-first-of-several"),
        pytest.param("20T13", "20T14", "-i 20T13 20T14; -i 20T14 20T16", id="the-last-of-several"),
        pytest.param("20T12", "20T14", None, id="not-the-first-that-is-left"),
        pytest.param("20T16", "20T16", None, id="nothing-is-left"),
    ],
)
def test_a_token_is_gone_on_with_in_a_stream_of_its_own(arrived: str, token: str, expected: str | None) -> None:
    found = on_its_own(what_is_left(streams(), guid_of(arrived)), guid_of(token))

    assert (shown(found, SENT) if found is not None else None) == expected


def test_about_how_much_is_sent() -> None:
    end = sender("20T12w 20T13w 20T14 20T15fw 20T16w", referenced=1000)
    dataset = end.dataset
    assert dataset is not None
    waiting = [one for one in end.snapshots if is_owned(one)]
    first = sends_from(end.snapshots, waiting, "", None)
    later = sends_from(end.snapshots, waiting[1:], *source_of(base_at("20T12", end)))

    assert bytes_of(first, end.snapshots, dataset, after_txg=None) == 4 * 4096, "all that was ever written"
    newest = sends_from(end.snapshots, waiting[-1:], "", None)
    assert bytes_of(newest, end.snapshots, dataset, after_txg=None) == 1000, "what was written and is gone is not sent"
    clone = replace(dataset, origin="tank/b@s", referenced=10**6)
    assert bytes_of(first, end.snapshots, clone, after_txg=None) == 10**6 + 3 * 4096, "what it shares with its origin"
    assert bytes_of(later, end.snapshots, dataset, after_txg=1) == 3 * 4096, (
        "what another's snapshot holds is sent along"
    )
    assert bytes_of((), end.snapshots, dataset, after_txg=1) == 0


def base_at(stamp: str, end: End) -> Base | None:
    return find_base(end, receiver(stamp))
