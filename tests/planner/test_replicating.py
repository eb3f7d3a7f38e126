"""What a run does about each pair: the steps, their order, and what is said where nothing is done."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.planner.notation import at, dataset, guid_of, receiver, sender, stamps
from tests.planner.replicating import DAY, RULE, beside, codes, kinds, plan, transfers
from zfsctl.model.dataset import Dataset, DatasetKind, Snapshot
from zfsctl.model.facts import Chains, HostFacts
from zfsctl.model.finding import Severity
from zfsctl.model.lineage import LinkState
from zfsctl.model.names import scheduled_name
from zfsctl.model.plan import CreateSnapshots, DatasetRef
from zfsctl.model.policy import Pattern
from zfsctl.model.pool import Pool
from zfsctl.model.refs import SnapshotRef
from zfsctl.model.repair import SwapDatasets
from zfsctl.model.replication import Chosen, Initial, Raw, Repair
from zfsctl.model.transfer import AbortReceive, CreateParents, HoldSnapshots, MoveAnchors, RenameSnapshot, cursor_name
from zfsctl.planner.lineage import End
from zfsctl.planner.replicating import Replicating

NOW = "20T15"
THREE = "20T12 20T13 20T14"
ASK_NOBODY = replace(RULE, repair=Repair.NEVER)


def sends(line: str | None = THREE, **changes: Any) -> End:
    return sender(line, clock=NOW, **changes)


def receives(line: str | None, **changes: Any) -> End:
    return receiver(line, clock=NOW, **changes)


def unplugged(end: End) -> End:
    return replace(end, host=replace(end.host, pools=(), datasets={}, snapshots={}))


def step(found: Replicating, kind: type) -> Any:
    (one,) = [step for step in found.steps if isinstance(step, kind)]
    return one


@pytest.mark.parametrize(
    ("alpha", "beta", "expected", "said"),
    [
        pytest.param(sends("20T12 20T13b"), receives("20T12 20T13k"), "", [], id="current"),
        pytest.param(sends("20T12 20T13"), receives("20T12 20T13k"), "anchors", [], id="current-without-a-cursor"),
        pytest.param(sends("20T12b 20T13b"), receives("20T13k"), "anchors", [], id="current-with-an-old-cursor"),
        pytest.param(sends("20T12bs"), receives("20T12k"), "anchors", [], id="current-and-still-held-in-flight"),
        pytest.param(sends(), receives("20T12"), "hold transfer anchors", [], id="behind"),
        pytest.param(sends(), receives(None), "hold transfer anchors", [], id="a-first-copy"),
        pytest.param(
            sends(), receives("", token=">20T12", inconsistent=True), "hold transfer anchors", [],
            id="a-first-copy-goes-on",
        ),
        pytest.param(
            sends(), receives("20T12", token="20T12>20T13"), "hold transfer anchors", [], id="an-increment-goes-on",
        ),
        pytest.param(
            sends("20T12 20T14"), receives("20T12k", token="20T12>20T13"), "abort hold transfer anchors", [],
            id="a-receive-of-ours-that-can-never-end",
        ),
        pytest.param(
            sends("20T12 20T14"), receives("20T12", token="20T12>20T13"), "", ["foreign-receive"],
            id="a-receive-of-others-that-can-never-end",
        ),
        pytest.param(
            sends("20T12bs"), receives("20T12k", token="20T11>20T12"), "abort", [],
            id="a-receive-of-ours-in-the-way-of-nothing",
        ),
        pytest.param(
            sends(), receives("20T12", readonly=False), "hold transfer anchors", ["open-receiver"],
            id="a-copy-that-can-be-written-to",
        ),
        pytest.param(
            sends("20T12b"), receives("20T12k", readonly=False), "", ["open-receiver"],
            id="a-copy-that-can-be-written-to-and-lacks-nothing",
        ),
        pytest.param(
            sends(), receives("20T12 20T14x"), "rename hold transfer anchors", [], id="a-name-is-taken",
        ),
        pytest.param(sends("20T13f"), receives(None), "", [], id="nothing-to-send"),
        pytest.param(sends(None), receives("20T12"), "", ["sender-gone"], id="the-sender-is-gone"),
        pytest.param(sends(), receives("20T12r"), "", ["receiving"], id="a-receive-is-running"),
        pytest.param(
            sends(), receives("20T12", mounted=True, readonly=False), "", ["taken-over"], id="the-receiver-is-in-use"
        ),
        pytest.param(sends(), receives("20T12 20T13xw"), "", ["diverged"], id="diverged"),
        pytest.param(sends(), receives("20T12", written=1), "", ["modified"], id="modified"),
        pytest.param(sends(), receives("20T10"), "", ["unrelated"], id="unrelated"),
        pytest.param(
            sends(), unplugged(receives("20T12")), "", ["link-unknown"], id="the-receiver's-pool-is-not-there",
        ),
    ],
)  # fmt: skip
def test_steps(alpha: End, beta: End, expected: str, said: list[str]) -> None:
    found = plan(alpha, beta, ASK_NOBODY)

    assert (kinds(found), codes(found)) == (expected, said)
    assert plan(alpha, beta, ASK_NOBODY, sends=False).steps == ()


def test_a_run_that_waits_is_no_alarm_and_one_that_cannot_go_on_is() -> None:
    (waits,) = plan(sends(), receives("20T12r")).findings
    (unknown,) = plan(sends(), unplugged(receives("20T12"))).findings

    assert (waits.severity, unknown.severity) == (Severity.INFO, Severity.CRITICAL)
    assert unknown.message == "r: alpha:tank/a → beta:bk/a: not replicated: pool bk is not imported on beta"
    assert (unknown.host, unknown.dataset) == ("beta", "bk/a")


@pytest.mark.parametrize(
    ("alpha", "clock", "alarm"),
    [
        pytest.param("20T12b", "27T00", False, id="it-lacks-nothing-however-long-it-is-away"),
        pytest.param("20T12b 20T13", "22T13", False, id="just-as-long-as-away"),
        pytest.param("20T12b 20T13", "22T13:00:01", True, id="longer-than-away"),
        pytest.param("20T12b 20T13f 22T00", "22T13:00:01", False, id="what-is-not-sent-does-not-wait"),
        pytest.param("20T12", "22T12:00:01", True, id="it-never-had-anything"),
    ],
)
def test_an_unplugged_receiver_is_an_alarm_once_it_lacks_too_much(alpha: str, clock: str, alarm: bool) -> None:
    found = plan(sender(alpha, clock=clock), unplugged(receives("20T12k")), replace(RULE, away=2 * DAY))

    (said,) = found.findings
    assert (found.links[0].lineage.state, kinds(found)) == (LinkState.AWAY, "")
    assert (said.severity, said.code, said.message) == (
        (
            Severity.CRITICAL, "away", "r: alpha:tank/a → beta:bk/a: not replicated: pool bk is not imported on beta; "
            "the oldest snapshot waits for 2 d, away is 2d",
        )
        if alarm
        else (
            Severity.INFO, "unplugged", "r: alpha:tank/a → beta:bk/a: nothing is sent, pool bk is not imported on beta",
        )
    )  # fmt: skip


def test_an_increment() -> None:
    found = plan(sends("20T12b 20T13 20T14"), receives("20T12k"))
    hold, transfer, anchors = found.steps

    assert isinstance(hold, HoldSnapshots)
    assert (hold.host, hold.tag) == ("alpha", "zfsctl:r:send")
    assert stamps_of(held.snapshot for held in hold.snapshots) == "20T12 20T14", "both ends of the stream"
    assert transfers(found) == (transfer,)
    assert transfer.after == (hold.id,)
    assert (transfer.host, transfer.sender_host, transfer.sender, transfer.receiver) == (
        "beta",
        "alpha",
        "tank/a",
        "bk/a",
    )
    assert (transfer.state, transfer.why) == (LinkState.BEHIND, "BEHIND by 2 snapshots")
    assert (transfer.properties, transfer.token) == ((), "")
    assert [(send.source, stamps_of(send.snapshots)) for send in transfer.sends] == [
        ("@zfsctl-20261120T120000Z", "20T13 20T14")
    ]
    assert isinstance(anchors, MoveAnchors)
    assert (anchors.host, anchors.sender_host, anchors.after) == ("beta", "alpha", (transfer.id,))
    assert stamps_of(anchors.chain) == "20T12 20T13 20T14"
    assert stamps_of(anchors.held) == "20T12"
    assert [ref.name for ref in anchors.bookmarks] == [cursor_name("r", guid_of("20T12"))]
    assert stamps_of(anchors.in_flight) == "20T12 20T14"
    assert anchors.properties == ()


def stamps_of(refs: Any) -> str:
    return stamps(Snapshot("", ref.name, ref.guid, 0, ref.guid) for ref in refs)


def test_a_snapshot_that_is_not_held_yet_but_was_left_so_by_another_run_is_released_too() -> None:
    found = plan(sends("20T12s 20T13 20T14"), receives("20T13k"))

    assert stamps_of(step(found, MoveAnchors).in_flight) == "20T12 20T13 20T14"


def test_an_increment_from_a_bookmark_holds_what_exists() -> None:
    found = plan(sends("#20T12 20T13 20T14"), receives("20T12k"))
    (transfer,) = transfers(found)

    cursor = cursor_name("r", guid_of("20T12"))
    assert [(send.source, stamps_of(send.snapshots)) for send in transfer.sends] == [
        (f"#{cursor}", "20T13"),
        ("@zfsctl-20261120T130000Z", "20T14"),
    ]
    held = step(found, HoldSnapshots).snapshots
    assert stamps_of(one.snapshot for one in held) == "20T13 20T14"
    assert step(found, MoveAnchors).chain[0] == SnapshotRef(f"#{cursor}", guid_of("20T12"))


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        pytest.param(DatasetKind.FILESYSTEM, (("readonly", "on"), ("canmount", "noauto")), id="filesystem"),
        pytest.param(DatasetKind.VOLUME, (("readonly", "on"),), id="volume-for-which-canmount-is-an-error"),
    ],
)
def test_a_first_copy_is_closed_and_looked_at_afterwards(
    kind: DatasetKind, properties: tuple[tuple[str, str], ...]
) -> None:
    found = plan(sends(kind=kind), receives(None))
    (transfer,) = transfers(found)

    assert (transfer.state, transfer.properties) == (LinkState.MISSING, properties)
    assert step(found, MoveAnchors).properties == properties
    assert [stamps_of(send.snapshots) for send in transfer.sends] == ["20T12", "20T13 20T14"]
    assert transfer.receiver_guid is None


def test_a_first_copy_that_goes_on_sets_nothing_anew_and_is_looked_at_all_the_same() -> None:
    found = plan(sends(), receives("", token=">20T12", inconsistent=True))
    (transfer,) = transfers(found)

    assert (transfer.token, transfer.properties) == ("1->20T12", ())
    assert [stamps_of(send.snapshots) for send in transfer.sends] == ["20T12", "20T13 20T14"]
    assert step(found, MoveAnchors).properties != ()


def test_a_first_copy_may_take_the_newest_alone() -> None:
    (transfer,) = transfers(plan(sends(), receives(None), replace(RULE, initial=Initial.NEWEST)))

    assert [(send.source, stamps_of(send.snapshots)) for send in transfer.sends] == [("", "20T14")]


def test_later_increments_take_all_that_wait_whatever_the_first_copy_took() -> None:
    (transfer,) = transfers(plan(sends(), receives("20T12"), replace(RULE, initial=Initial.NEWEST)))

    assert [stamps_of(send.snapshots) for send in transfer.sends] == ["20T13 20T14"]


def test_snapshots_of_others_are_sent_if_the_policy_says_all() -> None:
    alpha = sends("20T12 20T13f 20T14")
    owned = transfers(plan(alpha, receives("20T12")))[0]
    everything = transfers(plan(alpha, receives("20T12"), replace(RULE, snapshots=Chosen.ALL)))[0]

    assert [stamps_of(send.snapshots) for send in owned.sends] == ["20T14"]
    assert [stamps_of(send.snapshots) for send in everything.sends] == ["20T13 20T14"]


def test_a_receive_of_ours_in_the_way_is_given_up_before_it_is_sent_anew() -> None:
    found = plan(sends("20T12 20T14"), receives("20T12k", token="20T12>20T13"))
    abort, (transfer,) = step(found, AbortReceive), transfers(found)

    assert (abort.dataset, abort.token) == ("bk/a", "1-20T12>20T13")
    assert abort.id in transfer.after
    assert (transfer.token, stamps_of(transfer.sends[0].snapshots)) == ("", "20T14")


def test_an_unfinished_first_copy_that_can_never_end_is_begun_anew() -> None:
    found = plan(sends("20T13 20T14"), receives("", token=">20T12", inconsistent=True))
    (transfer,) = transfers(found)

    assert kinds(found) == "abort hold transfer anchors"
    assert transfer.token == ""
    assert transfer.properties == (("readonly", "on"), ("canmount", "noauto"))


def test_a_snapshot_in_the_way_is_renamed_first_and_keeps_its_guid_in_its_name() -> None:
    found = plan(sends(), receives("20T12 20T13 20T14x"))
    rename, (transfer,) = step(found, RenameSnapshot), transfers(found)

    guid = guid_of("20T14") + 1
    assert rename.snapshot == SnapshotRef("zfsctl-20261120T140000Z", guid)
    assert rename.to == f"zfsctl-20261120T140000Z.zfsctl-conflict-{guid:016x}"
    assert rename.id in transfer.after


def parent(line: str = "", *, token: str = "") -> End:
    """An empty dataset of ours where the copy will be."""
    end = receives(line, token=token)
    return replace(
        end, host=replace(end.host, chains=replace(end.host.chains, marks={"bk/a": {"zfsctl:parent": "on"}}))
    )


def test_where_zfsctl_made_an_empty_parent_the_first_copy_is_made_beside_it() -> None:
    """Nothing proves that it is still empty, so it is set aside like any other dataset."""
    found = plan(sends(), parent())
    (transfer,), swap = transfers(found), step(found, SwapDatasets)

    assert (transfer.state, transfer.receiver, transfer.sends[0].source) == (LinkState.MISSING, swap.built, "")
    assert (swap.dataset, transfer.id in swap.after) == ("bk/a", True)


def test_a_receive_into_an_empty_parent_is_given_up_if_it_is_ours() -> None:
    found = plan(sends("20T13 20T14"), parent(token=">20T13"))

    assert step(found, AbortReceive).dataset == "bk/a"
    assert step(found, AbortReceive).id in transfers(found)[0].after


def test_a_parent_that_has_snapshots_by_now_is_no_empty_one() -> None:
    found = plan(sends(), parent("20T10"))

    assert not found.steps
    assert "never written by zfsctl" in found.findings[0].message


def test_what_the_copy_lies_below_is_made_first() -> None:
    rule = replace(RULE, receiver_dataset="bk/copies/{host}/a")
    found = plan(sends(), receives(None), rule)
    parents, (transfer,) = step(found, CreateParents), transfers(found)

    assert parents.datasets == ("bk/copies", "bk/copies/alpha")
    assert parents.id in transfer.after
    assert transfer.receiver == "bk/copies/alpha/a"


def below(line: str, name: str, guid: int, **changes: Any) -> End:
    """Another dataset on the sender; its snapshots are its own."""
    end = sends(line)
    history = tuple(replace(one, dataset=name, guid=one.guid + guid) for one in end.snapshots)
    of: Dataset = replace(dataset(name, guid=guid), **changes)
    host = replace(end.host, datasets={name: of}, snapshots={name: history}, chains=Chains())
    return replace(end, host=host, name=name)


def test_a_child_comes_after_the_parent_it_lies_below() -> None:
    found = plan(beside(sends(), below(THREE, "tank/a/kid", 7)), receives(None))
    first, second = transfers(found)

    assert (first.receiver, second.receiver) == ("bk/a", "bk/a/kid")
    assert first.id in second.after
    assert kinds(found) == "hold transfer transfer anchors anchors"


def test_a_child_whose_parent_has_no_snapshot_lies_below_an_empty_parent_of_ours() -> None:
    found = plan(beside(sends(""), below(THREE, "tank/a/kid", 7)), receives(None))

    assert step(found, CreateParents).datasets == ("bk/a",)
    assert [one.receiver for one in transfers(found)] == ["bk/a/kid"]


def test_a_child_that_exists_waits_for_nobody() -> None:
    kid = below(THREE, "tank/a/kid", 7)
    copied = replace(
        receives("20T12").host,
        datasets={**receives("20T12").host.datasets, "bk/a/kid": replace(dataset("bk/a/kid", guid=8), readonly=True)},
        snapshots={
            **receives("20T12").host.snapshots,
            "bk/a/kid": tuple(
                replace(one, dataset="bk/a/kid", createtxg=one.createtxg + 9) for one in kid.snapshots[:1]
            ),
        },
    )
    found = plan(beside(sends(), kid), copied)
    first, second = transfers(found)

    assert first.after == second.after == (step(found, HoldSnapshots).id,)


def test_a_clone_is_sent_after_its_origin_and_from_it() -> None:
    clone = below("20T13 20T14", "tank/a/clone", 7, origin="tank/a@zfsctl-20261120T120000Z")
    found = plan(beside(sends(), clone), receives(None))
    first, second = transfers(found)

    assert (first.sender, second.sender) == ("tank/a", "tank/a/clone")
    assert (second.sends[0].source, second.sends[0].source_guid) == (
        "tank/a@zfsctl-20261120T120000Z",
        guid_of("20T12"),
    )
    assert first.id in second.after


def test_a_clone_that_comes_first_by_name_is_sent_after_its_origin_all_the_same() -> None:
    rule = replace(RULE, sender=Pattern("alpha:tank", "alpha", "tank"), receiver_dataset="bk/all")
    clone = below("20T13", "tank/A-clone", 7, origin="tank/a@zfsctl-20261120T120000Z")
    found = plan(beside(sends(), clone), receives(None), rule)

    assert [one.sender for one in transfers(found)] == ["tank/a", "tank/A-clone"]


def test_a_clone_whose_origin_is_not_sent_is_sent_in_full() -> None:
    clone = below("20T13", "tank/a/clone", 7, origin="tank/elsewhere@zfsctl-20261120T120000Z")
    found = plan(beside(sends(), clone), receives("20T12 20T13 20T14"))

    assert transfers(found)[0].sends[0].source == ""


def test_a_clone_whose_origin_is_there_already() -> None:
    clone = below("20T13", "tank/a/clone", 7, origin="tank/a@zfsctl-20261120T120000Z")
    found = plan(beside(sends("20T12 20T13 20T14b"), clone), receives("20T12 20T13 20T14k"))
    (transfer,) = transfers(found)

    assert transfer.sends[0].source == "tank/a@zfsctl-20261120T120000Z"


def test_a_first_copy_that_does_not_fit_is_not_begun() -> None:
    beta = receives(None)
    full = replace(beta, host=replace(beta.host, datasets={"bk": replace(dataset("bk"), available=4095)}))
    found = plan(sends("20T12w 20T13 20T14"), full)

    assert (kinds(found), codes(found)) == ("", ["no-space"])


def test_two_first_copies_that_fit_only_alone() -> None:
    beta = receives(None)
    small = replace(beta, host=replace(beta.host, datasets={"bk": replace(dataset("bk"), available=6000)}))
    found = plan(beside(sends("20T12w 20T13 20T14"), below("20T12w 20T13", "tank/a/kid", 7)), small)

    assert [one.receiver for one in transfers(found)] == ["bk/a"]
    assert [(one.code, one.dataset) for one in found.findings] == [("no-space", "bk/a/kid")]


def test_a_name_that_would_be_too_long_on_the_receiver_is_said_before_anything_is_sent() -> None:
    found = plan(sends(), receives(None), replace(RULE, receiver_dataset="bk/" + "x" * 240))

    assert (transfers(found), codes(found)) == ((), ["name-too-long"])


@pytest.mark.parametrize(("letters", "said"), [(224, []), (225, ["name-too-long"])])
def test_a_sender_whose_cursor_could_have_no_name_is_not_sent(letters: int, said: list[str]) -> None:
    """A bookmark's name is longer than a snapshot's: without a cursor, what is held could never be let go of."""
    name = f"tank/{'x' * letters}"
    assert (len(f"{name}#{cursor_name('r', 1)}") > 255) is bool(said)

    found = plan(below(THREE, name, 0), receives(None), replace(RULE, sender=Pattern("", "alpha", name)))

    assert codes(found) == said
    assert bool(transfers(found)) is not bool(said)


def test_a_clash_whose_new_name_would_be_too_long_is_said_before_anything_is_done() -> None:
    name = f"bk/{'x' * 200}"
    end = receives("20T12 20T14x")
    history = tuple(replace(one, dataset=name) for one in end.snapshots)
    here = replace(dataset(name, guid=2), readonly=True)
    host = replace(end.host, datasets={**end.host.datasets, name: here}, snapshots={name: history})

    found = plan(sends(), host, replace(RULE, receiver_dataset=name))

    assert (kinds(found), codes(found)) == ("", ["name-too-long"])
    assert ".zfsctl-conflict-" in found.findings[0].message


def test_nothing_is_sent_of_what_was_not_asked() -> None:
    found = plan(sends(), HostFacts("gamma", at(NOW)))

    assert (kinds(found), codes(found)) == ("", ["link-unknown"])


def encrypted(end: End, ivset: int, **changes: Any) -> End:
    """The same end, encrypted; snapshots with equal ivset guids hold the same ciphertext."""
    name = end.name
    of = replace(end.host.datasets[name], encryption="aes-256-gcm", encryptionroot=name, **changes)
    ivsets = {str(one): one.guid + ivset for one in (*end.snapshots, *end.bookmarks)}
    host = replace(end.host, datasets={**end.host.datasets, name: of}, chains=replace(end.host.chains, ivsets=ivsets))
    return replace(end, host=host)


@pytest.mark.parametrize(
    ("alpha", "beta", "raw", "flags", "said"),
    [
        pytest.param(encrypted(sends(), 1), receives(None), Raw.AUTO, ("-w",), [], id="a-first-copy-is-raw"),
        pytest.param(encrypted(sends(), 1), receives(None), Raw.NEVER, (), [], id="unless-the-policy-says-never"),
        pytest.param(sends(), receives(None), Raw.ALWAYS, (), [], id="what-is-not-encrypted-is-never-raw"),
        pytest.param(
            encrypted(sends(), 1), encrypted(receives("20T12"), 1), Raw.NEVER, ("-w",), [],
            id="a-raw-chain-stays-raw-whatever-the-policy-says",
        ),
        pytest.param(
            encrypted(sends(), 1), receives("20T12"), Raw.AUTO, (), [], id="a-plain-chain-stays-plain",
        ),
        pytest.param(
            encrypted(sends(), 1), encrypted(receives("20T12"), 2), Raw.AUTO, (), [],
            id="encrypted-anew-on-the-receiver-is-a-plain-chain",
        ),
        pytest.param(
            encrypted(sends(), 1, keystatus="unavailable"), receives("20T12"), Raw.AUTO, None, ["key-not-loaded"],
            id="a-plain-chain-needs-the-key",
        ),
        pytest.param(
            encrypted(sends(), 1, keystatus="unavailable"), encrypted(receives("20T12"), 1), Raw.AUTO, ("-w",), [],
            id="a-raw-chain-does-not",
        ),
        pytest.param(
            encrypted(sends(), 1), encrypted(receives("20T12 20T13:30f"), 1), Raw.AUTO, None, ["diverged"],
            id="a-raw-chain-tolerates-no-snapshot-of-the-receiver",
        ),
        pytest.param(
            encrypted(sends("#20T12 20T13 20T14"), 1), encrypted(receives("20T12"), 1), Raw.AUTO, ("-w",), [],
            id="raw-from-a-bookmark",
        ),
    ],
)  # fmt: skip
def test_raw_or_plain(alpha: End, beta: End, raw: Raw, flags: tuple[str, ...] | None, said: list[str]) -> None:
    found = plan(alpha, beta, replace(ASK_NOBODY, raw=raw))

    assert codes(found) == said
    assert [one.flags for one in transfers(found)] == ([] if flags is None else [flags])


def test_a_raw_increment_never_goes_to_a_copy_whose_encryption_root_was_changed() -> None:
    beta = encrypted(receives("20T12"), 1)
    moved = replace(beta.host.datasets["bk/a"], encryptionroot="bk")
    beta = replace(beta, host=replace(beta.host, datasets={**beta.host.datasets, "bk/a": moved}))
    found = plan(encrypted(sends(), 1), beta)

    assert (kinds(found), codes(found)) == ("", ["encryption-root"])


@pytest.mark.parametrize(
    ("alpha", "beta", "flags"),
    [
        pytest.param(
            {"large_blocks", "embedded_data", "lz4_compress", "zstd_compress"}, None, ("-L", "-e", "-c"), id="all"
        ),
        pytest.param({"large_blocks", "embedded_data"}, {"large_blocks"}, ("-L",), id="what-both-pools-have"),
        pytest.param(
            {"lz4_compress"}, {"lz4_compress", "zstd_compress"}, (), id="compressed-only-where-both-know-zstd"
        ),
        pytest.param(set(), set(), (), id="none"),
    ],
)
def test_stream_flags_are_those_that_both_pools_allow(
    alpha: set[str], beta: set[str] | None, flags: tuple[str, ...]
) -> None:
    def with_features(end: End, pool: str, found: set[str]) -> End:
        chains = replace(end.host.chains, features={pool: frozenset(found)})
        return replace(end, host=replace(end.host, chains=chains))

    found = plan(
        with_features(sends(), "tank", alpha), with_features(receives("20T12"), "bk", alpha if beta is None else beta)
    )

    assert transfers(found)[0].flags == flags


def test_what_the_same_run_takes_is_sent_too() -> None:
    name = scheduled_name("zfsctl", at("20T15"))
    take = CreateSnapshots(
        id="snapshot-1", host="alpha", why="", pool="tank", snapshot=name, datasets=(DatasetRef("tank/a", 2),)
    )
    found = plan(sends("20T14b"), receives("20T14k"), taking=(take,))
    (transfer,) = transfers(found)

    assert [ref.name for send in transfer.sends for ref in send.snapshots] == [name]
    assert "snapshot-1" in transfer.after
    assert "snapshot-1" in step(found, HoldSnapshots).after


def test_why_and_until_when_is_carried_over() -> None:
    alpha = sends("20T12 20T13m>25T00")
    history = (alpha.snapshots[0], replace(alpha.snapshots[1], reason="before the upgrade"))
    alpha = replace(alpha, host=replace(alpha.host, snapshots={**alpha.host.snapshots, "tank/a": history}))

    ((ref, said),) = step(plan(alpha, receives("20T12")), MoveAnchors).notes

    assert ref.guid == guid_of("20T13")
    assert said == (("zfsctl:reason", "before the upgrade"), ("zfsctl:expires", str(at("25T00"))))


def chain() -> tuple[Any, Any]:
    """A → B → C: two replications and the tree of B."""
    onward = replace(
        RULE,
        name="onward",
        sender=Pattern("beta:bk/a", "beta", "bk/a"),
        receiver_host="gamma",
        receiver_dataset="vault/a",
    )
    return RULE, onward


def far(line: str | None) -> HostFacts:
    end = receives(line)
    host = end.host
    listed = {} if line is None else {"vault/a": tuple(replace(one, dataset="vault/a") for one in end.snapshots)}
    found = {"vault": replace(dataset("vault"), available=1 << 40)}
    if line is not None:
        found["vault/a"] = replace(host.datasets["bk/a"], name="vault/a")
    return HostFacts("gamma", host.clock, pools=(Pool("vault", 9),), datasets=found, snapshots={"vault": (), **listed})


def test_a_chain_whose_first_hop_was_never_made_is_no_alarm() -> None:
    found = plan(sends(), receives(None), *chain(), more=(far(None),))

    assert [(link.pair.replication.name, link.lineage.state) for link in found.links] == [
        ("r", LinkState.MISSING),
        ("onward", LinkState.EMPTY),
    ]
    assert codes(found) == []


def test_a_chain_whose_first_hop_is_gone_is_one() -> None:
    found = plan(sends(), receives(None), *chain(), more=(far("20T12"),))

    assert [link.lineage.state for link in found.links] == [LinkState.MISSING, LinkState.SENDER_GONE]
    assert codes(found) == ["sender-gone"]


def test_a_sender_that_nobody_sends_to_is_missed_at_once() -> None:
    assert codes(plan(sends(None), receives(None))) == ["sender-gone"]


def test_the_middle_of_a_chain_keeps_what_both_hops_rest_on() -> None:
    beta = receives("20T11 20T12 20T13 20T14k")
    found = plan(sends("20T14b"), beta, *chain(), more=(far("20T11 20T12"),), sends=False)
    reasons = found.anchors["beta", "bk/a"]

    assert {stamps([one]): str(reasons[one.guid].rule) for one in beta.snapshots if one.guid in reasons} == {
        "20T12": "base",
        "20T13": "pending",
        "20T14": "base",
    }
