"""In which state a dataset and its copy are: one sentence for each case, told by guids and never by names."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.planner.notation import guid_of, receiver, sender, stamps
from zfsctl.model.dataset import DatasetKind, Snapshot
from zfsctl.model.lineage import Lineage, LinkState
from zfsctl.planner.lineage import End, lineage
from zfsctl.planner.ownership import Owners, Standing

OWNERS = Owners("zfsctl", ("autosnap_*",))
THREE = "20T12 20T13 20T14"


def is_owned(snapshot: Snapshot) -> bool:
    return OWNERS.standing(snapshot.name) is not Standing.FOREIGN


def state(alpha: End, beta: End, **options: Any) -> Lineage:
    return lineage(alpha, beta, **{"is_candidate": is_owned, **options})


def without_pool(end: End) -> End:
    return replace(end, host=replace(end.host, pools=(), datasets={}, snapshots={}))


def on_sick_pool(end: End, health: str = "SUSPENDED") -> End:
    """OpenZFS names the pool and passes over its datasets without a word."""
    pools = tuple(replace(pool, health=health) for pool in end.host.pools)
    return replace(end, host=replace(end.host, pools=pools, datasets={}, snapshots={}))


def with_problem(end: End, said: str = "stderr: I/O error") -> End:
    return replace(end, host=replace(end.host, problems=(said,)))


GONE, NEVER = sender(None), receiver(None)


@pytest.mark.parametrize(
    ("alpha", "beta", "options", "expected", "why"),
    [
        pytest.param(
            with_problem(sender(THREE)), receiver(THREE), {}, LinkState.UNKNOWN, "stderr: I/O error",
            id="the-sender-was-not-listed-in-full",
        ),
        pytest.param(
            sender(THREE), with_problem(receiver(THREE)), {}, LinkState.UNKNOWN, "stderr: I/O error",
            id="the-receiver-was-not-listed-in-full",
        ),
        pytest.param(
            with_problem(GONE), receiver(THREE), {}, LinkState.UNKNOWN, "stderr: I/O error",
            id="what-is-missing-from-a-listing-that-failed-is-not-gone",
        ),
        pytest.param(
            without_pool(sender(THREE)), receiver(THREE), {}, LinkState.UNKNOWN, "pool tank is not imported on alpha",
            id="the-sender's-pool-is-not-there",
        ),
        pytest.param(
            sender(THREE), without_pool(receiver(THREE)), {}, LinkState.UNKNOWN, "pool bk is not imported on beta",
            id="the-receiver's-pool-is-not-there",
        ),
        pytest.param(
            replace(sender(THREE), host=replace(sender(THREE).host, snapshots={})), receiver(THREE), {},
            LinkState.UNKNOWN, "the snapshots of alpha:tank/a were not listed",
            id="nobody-asked-for-the-sender's-snapshots",
        ),
        pytest.param(
            sender(THREE), without_pool(receiver(THREE)), {"may_be_away": True},
            LinkState.AWAY, "pool bk is not imported on beta",
            id="the-receiver-may-be-unplugged",
        ),
        pytest.param(
            sender(THREE), on_sick_pool(receiver(THREE)), {}, LinkState.UNKNOWN,
            "pool bk is SUSPENDED, what is on it cannot be looked at",
            id="the-receiver's-pool-is-suspended-and-not-empty",
        ),
        pytest.param(
            on_sick_pool(sender(THREE), "FAULTED"), receiver(THREE), {}, LinkState.UNKNOWN,
            "pool tank is FAULTED, what is on it cannot be looked at",
            id="the-sender's-pool-is-faulted-and-not-empty",
        ),
        pytest.param(
            sender(THREE), on_sick_pool(receiver(THREE)), {"may_be_away": True}, LinkState.AWAY,
            "pool bk is SUSPENDED, what is on it cannot be looked at",
            id="a-disk-pulled-without-an-export-leaves-a-suspended-pool",
        ),
        pytest.param(
            sender(THREE), with_problem(without_pool(receiver(THREE))), {"may_be_away": True},
            LinkState.UNKNOWN, "stderr: I/O error",
            id="a-host-that-did-not-answer-is-not-an-unplugged-disk",
        ),
        pytest.param(
            without_pool(sender(THREE)), without_pool(receiver(THREE)), {"may_be_away": True},
            LinkState.UNKNOWN, "pool tank is not imported on alpha",
            id="only-the-receiver-may-be-unplugged",
        ),
        pytest.param(
            GONE, receiver(THREE), {}, LinkState.SENDER_GONE, "alpha:tank/a does not exist",
            id="the-sender-is-gone",
        ),
        pytest.param(
            GONE, receiver(THREE, mounted=True, readonly=False), {},
            LinkState.SENDER_GONE, "alpha:tank/a does not exist",
            id="the-sender-is-gone-and-its-copy-in-use",
        ),
        pytest.param(
            sender(""), NEVER, {}, LinkState.EMPTY, "there is no snapshot to send yet",
            id="there-is-no-snapshot",
        ),
        pytest.param(
            sender("20T12f 20T13f"), receiver("20T11"), {}, LinkState.EMPTY, "there is no snapshot to send yet",
            id="only-others-have-taken-snapshots",
        ),
        pytest.param(
            sender("20T12a"), NEVER, {}, LinkState.MISSING, "the first copy", id="adopted-snapshots-are-sent",
        ),
        pytest.param(
            sender("20T12m"), NEVER, {}, LinkState.MISSING, "the first copy", id="snapshots-taken-by-hand-are-sent",
        ),
        pytest.param(
            sender(THREE), receiver("", inconsistent=True), {}, LinkState.BUSY,
            "a first copy is being received, and not by a run of this kind",
            id="a-first-copy-is-coming-in-that-cannot-be-resumed",
        ),
        pytest.param(
            sender(THREE), receiver("20T12 20T13r"), {}, LinkState.BUSY,
            "a receive is running that cannot be resumed, so it is not ours",
            id="an-increment-is-coming-in-that-cannot-be-resumed",
        ),
        pytest.param(
            sender(THREE), receiver("20T12 20T13r", token="20T13>20T14"), {}, LinkState.PARTIAL,
            "an interrupted receive of @zfsctl-20261120T140000Z goes on",
            id="a-hidden-clone-with-a-token-is-not-busy",
        ),
        pytest.param(
            sender(THREE), receiver("20T12 20T13"), {"repair": "half done"}, LinkState.REPAIRING, "half done",
            id="a-repair-is-half-done",
        ),
        pytest.param(
            sender(THREE), receiver("20T12 20T13", mounted=True, readonly=False), {}, LinkState.TAKEN_OVER,
            "the receiver is mounted and writable: somebody may be at work on it",
            id="the-copy-is-mounted-and-writable",
        ),
        pytest.param(
            sender(THREE), receiver("20T12 20T13", mounted=True), {}, LinkState.BEHIND, "BEHIND by 1 snapshot",
            id="a-copy-that-is-only-looked-at",
        ),
        pytest.param(
            sender(THREE), receiver("20T12 20T13", readonly=False), {}, LinkState.BEHIND, "BEHIND by 1 snapshot",
            id="a-writable-copy-that-nobody-has-mounted",
        ),
        pytest.param(
            sender(THREE), receiver("20T12 20T13", kind=DatasetKind.VOLUME, readonly=False), {}, LinkState.TAKEN_OVER,
            "the receiver is a writable volume (readonly=off): somebody may be at work on it",
            id="a-writable-volume-may-be-open",
        ),
        pytest.param(
            sender(THREE), receiver("20T12 20T13", kind=DatasetKind.VOLUME), {},
            LinkState.BEHIND, "BEHIND by 1 snapshot",
            id="a-volume-that-nobody-can-write-to",
        ),
        pytest.param(
            sender(THREE), receiver("20T12 20T13x", mounted=True, readonly=False), {}, LinkState.TAKEN_OVER,
            "the receiver is mounted and writable: somebody may be at work on it",
            id="a-copy-in-use-that-has-diverged-is-in-use-first",
        ),
        pytest.param(sender(THREE), NEVER, {}, LinkState.MISSING, "the first copy", id="there-is-no-copy"),
        pytest.param(
            sender(THREE), receiver("", token=">20T12", inconsistent=True), {}, LinkState.MISSING,
            "the first copy goes on with @zfsctl-20261120T120000Z",
            id="a-first-copy-was-interrupted",
        ),
        pytest.param(
            sender("20T13 20T14"), receiver("", token=">20T12", inconsistent=True), {}, LinkState.STUCK,
            "an unfinished first copy needs tank/a@zfsctl-20261120T120000Z, which the sender does not have any more",
            id="a-first-copy-that-can-never-end",
        ),
        pytest.param(
            sender("20T12x 20T13"), receiver("", token=">20T12", inconsistent=True), {}, LinkState.STUCK,
            "an unfinished first copy needs tank/a@zfsctl-20261120T120000Z, which the sender does not have any more",
            id="its-snapshot-was-replaced-by-another-of-the-same-name",
        ),
        pytest.param(
            sender("20T13 20T14"), receiver("", token="20T12>20T13", inconsistent=True), {}, LinkState.STUCK,
            "an unfinished first copy needs a snapshot that is gone",
            id="a-first-copy-of-a-clone-whose-origin-is-gone",
        ),
        pytest.param(
            sender(THREE), receiver(""), {}, LinkState.UNRELATED, "beta:bk/a exists and has no snapshot",
            id="a-dataset-without-a-snapshot-may-hold-files-all-the-same",
        ),
        pytest.param(
            sender(THREE), receiver("20T10 20T11"), {}, LinkState.UNRELATED,
            "the receiver's 2 snapshots and the sender's history share nothing",
            id="two-histories",
        ),
        pytest.param(
            sender(THREE), receiver("20T12x 20T13x"), {}, LinkState.UNRELATED,
            "the receiver's 2 snapshots and the sender's history share nothing",
            id="equal-names-prove-nothing",
        ),
        pytest.param(
            sender(THREE), receiver("20T12 20T13 20T13:30fw"), {}, LinkState.DIVERGED,
            "the receiver has 1 snapshot of its own after @zfsctl-20261120T130000Z",
            id="somebody-wrote-and-took-a-snapshot-on-the-copy",
        ),
        pytest.param(
            sender(THREE), receiver("20T12 20T13 20T13:30f", written=1), {}, LinkState.DIVERGED,
            "the receiver has 1 snapshot of its own after @zfsctl-20261120T130000Z",
            id="a-snapshot-of-its-own-and-then-something-written",
        ),
        pytest.param(
            sender("20T12 20T13 20T14 20T15"), receiver("20T12 20T13 20T14xw"), {}, LinkState.DIVERGED,
            "the receiver has 1 snapshot of its own after @zfsctl-20261120T130000Z",
            id="the-sender-was-rolled-back-and-took-the-same-name-again",
        ),
        pytest.param(
            sender("20T12"), receiver("20T12 20T13w"), {}, LinkState.DIVERGED,
            "the receiver has 1 snapshot of its own after @zfsctl-20261120T120000Z",
            id="the-sender-was-rolled-back-behind-what-was-received",
        ),
        pytest.param(
            sender("20T12"), receiver("20T12 20T13"), {}, LinkState.CURRENT,
            "the receiver has everything up to @zfsctl-20261120T120000Z",
            id="rolled-back-behind-an-empty-snapshot",
        ),
        pytest.param(
            sender(THREE), receiver("20T12 20T13 20T13:30f"), {"is_raw": True}, LinkState.DIVERGED,
            "the receiver has 1 snapshot of its own after @zfsctl-20261120T130000Z",
            id="a-raw-chain-tolerates-no-snapshot-of-the-receiver's-own",
        ),
        pytest.param(
            sender(THREE), receiver("20T12 20T13"), {"is_raw": True}, LinkState.BEHIND, "BEHIND by 1 snapshot",
            id="a-raw-chain-in-order",
        ),
        pytest.param(
            sender(THREE), receiver("20T12 20T13", written=512), {}, LinkState.MODIFIED,
            "512 bytes were written on the receiver after @zfsctl-20261120T130000Z",
            id="somebody-wrote-on-the-copy",
        ),
        pytest.param(
            sender(THREE), receiver(THREE, written=512), {}, LinkState.MODIFIED,
            "512 bytes were written on the receiver after @zfsctl-20261120T140000Z",
            id="modified-though-nothing-waits",
        ),
        pytest.param(
            sender(THREE), receiver("20T12 20T13", written=512, token="20T13>20T14"), {}, LinkState.MODIFIED,
            "512 bytes were written on the receiver after @zfsctl-20261120T130000Z",
            id="modified-under-an-interrupted-receive",
        ),
        pytest.param(
            sender(THREE), receiver("20T12 20T13", token="20T13>20T14"), {}, LinkState.PARTIAL,
            "an interrupted receive of @zfsctl-20261120T140000Z goes on",
            id="an-increment-was-interrupted",
        ),
        pytest.param(
            sender("#20T13 20T14"), receiver("20T12 20T13", token="20T13>20T14"), {}, LinkState.PARTIAL,
            "an interrupted receive of @zfsctl-20261120T140000Z goes on",
            id="an-increment-from-a-bookmark-was-interrupted",
        ),
        pytest.param(
            sender("20T12 20T13 20T13:30f 20T14"), receiver("20T12 20T13", token="20T13>20T13:30f"), {},
            LinkState.PARTIAL,
            "an interrupted receive of @auto-20T13-30 goes on",
            id="another-tool's-snapshot-was-being-sent",
        ),
        pytest.param(
            sender(THREE), receiver("20T12 20T13", token="20T12>20T14"), {}, LinkState.STUCK,
            "an interrupted receive does not go on from the newest snapshot that both have",
            id="a-token-that-goes-on-from-an-older-snapshot",
        ),
        pytest.param(
            sender(THREE), receiver("20T12 20T13", token=">20T14"), {}, LinkState.STUCK,
            "an interrupted receive does not go on from the newest snapshot that both have",
            id="a-full-stream-into-what-exists",
        ),
        pytest.param(
            sender("20T12 20T13 20T15"), receiver("20T12 20T13", token="20T13>20T14"), {}, LinkState.STUCK,
            "an interrupted receive needs tank/a@zfsctl-20261120T140000Z, which the sender does not have any more",
            id="a-token-whose-target-is-gone",
        ),
        pytest.param(
            sender("20T12 20T13 20T14x"), receiver("20T12 20T13", token="20T13>20T14"), {}, LinkState.STUCK,
            "an interrupted receive needs tank/a@zfsctl-20261120T140000Z, which the sender does not have any more",
            id="a-token-whose-target-was-replaced",
        ),
        pytest.param(
            sender(THREE), receiver("20T12 20T13 20T13:30f", token="20T13>20T14"), {}, LinkState.STUCK,
            "an interrupted receive would end in vain, the receiver has taken a snapshot of its own since",
            id="an-own-snapshot-under-a-token-makes-it-fail-at-its-very-end",
        ),
        pytest.param(
            sender(THREE), receiver("20T12 20T13 20T14x"), {}, LinkState.CONFLICT,
            "BEHIND by 1 snapshot; @zfsctl-20261120T140000Z is another snapshot on the receiver",
            id="the-name-is-taken-by-a-newer-snapshot",
        ),
        pytest.param(
            sender("20T12 20T13 20T14"), receiver("20T14x 20T12 20T13"), {}, LinkState.CONFLICT,
            "BEHIND by 1 snapshot; @zfsctl-20261120T140000Z is another snapshot on the receiver",
            id="the-name-is-taken-by-an-older-snapshot",
        ),
        pytest.param(
            sender("20T12 20T13"), receiver("20T12 20T13 20T14x"), {}, LinkState.CURRENT,
            "the receiver has everything up to @zfsctl-20261120T130000Z",
            id="a-name-that-nobody-sends-is-in-no-way",
        ),
        pytest.param(
            sender(THREE), receiver("20T12 20T13"), {}, LinkState.BEHIND, "BEHIND by 1 snapshot",
            id="one-waits",
        ),
        pytest.param(sender(THREE), receiver("20T12"), {}, LinkState.BEHIND, "BEHIND by 2 snapshots", id="two-wait"),
        pytest.param(
            sender(THREE), receiver("20T12 20T12:30f 20T12:40f"), {}, LinkState.BEHIND, "BEHIND by 2 snapshots",
            id="empty-snapshots-of-its-own-are-no-hindrance",
        ),
        pytest.param(
            sender("#20T12 20T13 20T14"), receiver("20T11 20T12"), {}, LinkState.BEHIND, "BEHIND by 2 snapshots",
            id="only-the-cursor-is-left-of-the-base",
        ),
        pytest.param(
            sender("#20T12f 20T13"), receiver("20T11 20T12"), {}, LinkState.BEHIND, "BEHIND by 1 snapshot",
            id="anybody's-bookmark-will-do",
        ),
        pytest.param(
            sender("#20T12 20T13x"), receiver("20T12 20T13w"), {}, LinkState.DIVERGED,
            "the receiver has 1 snapshot of its own after @zfsctl-20261120T120000Z",
            id="a-bookmark-older-than-what-both-call-alike",
        ),
        pytest.param(
            sender(THREE), receiver(THREE), {}, LinkState.CURRENT,
            "the receiver has everything up to @zfsctl-20261120T140000Z",
            id="all-is-there",
        ),
        pytest.param(
            sender("20T14 20T15f"), receiver("20T10 20T14"), {}, LinkState.CURRENT,
            "the receiver has everything up to @zfsctl-20261120T140000Z",
            id="what-is-not-to-be-sent-does-not-wait",
        ),
        pytest.param(
            sender("20T12 20T13 20T14"), receiver("20T12 20T14"), {}, LinkState.CURRENT,
            "the receiver has everything up to @zfsctl-20261120T140000Z",
            id="a-gap-behind-the-base-is-not-filled",
        ),
        pytest.param(
            sender("20T12 #20T14 20T13"), receiver("20T12 20T14"), {}, LinkState.BEHIND, "BEHIND by 1 snapshot",
            id="order-is-createtxg-whatever-the-clock-said",
        ),
    ],
)  # fmt: skip
def test_state_and_why(alpha: End, beta: End, options: dict[str, Any], expected: LinkState, why: str) -> None:
    found = state(alpha, beta, **options)

    assert (found.state, found.why) == (expected, why)


def test_with_all_snapshots_chosen_those_of_others_wait_too() -> None:
    found = state(sender("20T12 20T13f"), receiver("20T12"), is_candidate=lambda _: True)

    assert (found.state, stamps(found.waiting)) == (LinkState.BEHIND, "20T13")


@pytest.mark.parametrize(
    ("alpha", "beta", "base", "source", "waiting", "own", "clashes"),
    [
        pytest.param(
            "20T12 20T13 20T14", "20T12", "20T12", "@zfsctl-20261120T120000Z", "20T13 20T14", "", "",
            id="behind",
        ),
        pytest.param(
            "20T12b 20T13", "20T12", "20T12", "@zfsctl-20261120T120000Z", "20T13", "", "",
            id="a-snapshot-is-a-better-source-than-its-bookmark",
        ),
        pytest.param(
            "20T10 #20T12 20T13", "20T10 20T12", "20T12", f"#zfsctl-r-{guid_of('20T12'):016x}", "20T13", "", "",
            id="the-bookmark-is-newer-than-the-last-common-snapshot",
        ),
        pytest.param(
            "#20T12 20T13 20T14", "20T12 20T13", "20T13", "@zfsctl-20261120T130000Z", "20T14", "", "",
            id="the-cursor-lags-behind-what-has-arrived",
        ),
        pytest.param(
            "20T12 20T13 20T14", "20T12 20T13xw 20T13:30f", "20T12", "@zfsctl-20261120T120000Z",
            "20T13 20T14", "20T13 20T13", "",
            id="what-the-receiver-has-of-its-own",
        ),
        pytest.param(
            "20T12 20T13 20T14", "20T14x 20T12 20T13x", "20T12", "@zfsctl-20261120T120000Z", "20T13 20T14", "20T13",
            "20T13 20T14",
            id="every-name-that-clashes",
        ),
    ],
)  # fmt: skip
def test_the_evidence(alpha: str, beta: str, base: str, source: str, waiting: str, own: str, clashes: str) -> None:
    found = state(sender(alpha), receiver(beta))

    assert found.base is not None
    assert (found.base.guid, found.base.source) == (guid_of(base), source)
    assert (stamps(found.waiting), stamps(found.own)) == (waiting, own)
    assert sorted(stamps(found.clashes).split()) == clashes.split()


@pytest.mark.parametrize(
    ("beta", "options"),
    [
        pytest.param(receiver("20T12 20T13r"), {}, id="busy"),
        pytest.param(receiver("20T12 20T13"), {"repair": "half done"}, id="repairing"),
        pytest.param(receiver("20T12 20T13", mounted=True, readonly=False), {}, id="taken-over"),
        pytest.param(receiver("20T12 20T13", token="20T12>20T14"), {}, id="stuck"),
        pytest.param(receiver("20T12 20T13", token="20T13>20T14"), {}, id="partial"),
        pytest.param(receiver("20T12 20T13", written=1), {}, id="modified"),
    ],
)
def test_the_base_is_known_whenever_both_ends_are(beta: End, options: dict[str, Any]) -> None:
    found = state(sender(THREE), beta, **options)

    assert found.base is not None
    assert (found.base.guid, stamps(found.waiting)) == (guid_of("20T13"), "20T14")


def test_each_state_comes_before_those_below_it() -> None:
    """One receiver in which everything is wrong at once; with each trouble gone the next one is told."""
    written = {"written": 1}
    own, clash = "20T12 20T13fw 20T14x", "20T12 20T14x"
    in_use = {"mounted": True, "readonly": False}
    row = [
        (with_problem(sender(None)), receiver("20T12r", **in_use, **written), {"repair": "x"}),
        (sender(None), receiver("20T12r", **in_use, **written), {"repair": "x"}),
        (sender("20T12f"), receiver("20T12r", **in_use, **written), {"repair": "x"}),
        (sender(THREE), receiver("20T12r", **in_use, **written), {"repair": "x"}),
        (sender(THREE), receiver(own, token="20T12>20T13", **in_use, **written), {"repair": "x"}),
        (sender(THREE), receiver(own, token="20T12>20T13", **in_use, **written), {}),
        (sender(THREE), receiver("20T10w", token="20T12>20T13", **written), {}),
        (sender(THREE), receiver(own, token="20T12>20T13", **written), {}),
        (sender(THREE), receiver("20T12", token="20T12>20T13", **written), {}),
        (sender(THREE), receiver("20T12", token="20T12>20T13"), {}),
        (sender(THREE), receiver(clash, token="20T12>20T13"), {}),
        (sender(THREE), receiver(clash), {}),
        (sender(THREE), receiver("20T12"), {}),
        (sender(THREE), receiver(THREE), {}),
    ]

    assert [state(alpha, beta, **options).state for alpha, beta, options in row] == [
        LinkState.UNKNOWN,
        LinkState.SENDER_GONE,
        LinkState.EMPTY,
        LinkState.BUSY,
        LinkState.REPAIRING,
        LinkState.TAKEN_OVER,
        LinkState.UNRELATED,
        LinkState.DIVERGED,
        LinkState.MODIFIED,
        LinkState.PARTIAL,
        LinkState.STUCK,
        LinkState.CONFLICT,
        LinkState.BEHIND,
        LinkState.CURRENT,
    ]
