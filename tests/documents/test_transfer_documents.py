"""A plan file cannot make zfsctl send, receive, hold or name anything in a way that no plan of its own would."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.documents.replicating import PLAN, TOKEN
from zfsctl.documents.reading import read_plan
from zfsctl.errors import UsageError

GOLDEN = Path(__file__).parent / "golden" / "transfers.json"
HOLD, PARENTS, ABORT, RENAME, TRANSFER, FIRST, ANCHORS = range(7)

Change = Callable[[list[dict[str, Any]]], object]


def put(index: int, **fields: object) -> Change:
    return lambda steps: steps[index].update(fields)


def send(index: int, number: int = 0, **fields: object) -> Change:
    return lambda steps: steps[index]["sends"][number].update(fields)


def then(*snapshots: tuple[str, str], source: str, guid: str | None) -> Change:
    named = [{"name": name, "guid": guid} for name, guid in snapshots]
    return lambda steps: steps[TRANSFER]["sends"].append({"source": source, "source_guid": guid, "snapshots": named})


def test_the_first_plan_of_transfers_is_still_read() -> None:
    assert read_plan(GOLDEN.read_text(), source="night.json") == PLAN


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param(put(TRANSFER, flags=["-R"]), "'-R' is never", id="a-stream-that-carries-deletions"),
        pytest.param(put(TRANSFER, flags=["-p"]), "'-p' is never", id="a-stream-that-carries-properties"),
        pytest.param(put(TRANSFER, flags=["tank/x@y"]), "is never", id="a-name-among-the-flags"),
        pytest.param(put(TRANSFER, risk="reversible"), "it is safe", id="a-transfer-that-calls-itself-reversible"),
        pytest.param(put(ABORT, risk="safe"), "it is destructive", id="an-abort-that-calls-itself-safe"),
        pytest.param(put(TRANSFER, force=True), "does not know it", id="a-field-that-no-version-has"),
        pytest.param(put(TRANSFER, state="fine"), "expected is", id="a-state-that-is-none"),
        pytest.param(put(TRANSFER, route="carrier"), "expected is", id="a-route-that-is-none"),
        pytest.param(put(TRANSFER, route="local"), "route is local", id="a-local-route-between-two-hosts"),
        pytest.param(put(TRANSFER, bandwidth=0), "not above 0", id="no-bandwidth-at-all"),
        pytest.param(put(TRANSFER, sends=[]), "it is empty", id="a-transfer-of-nothing"),
        pytest.param(put(TRANSFER, sender_host="-oProxyCommand=x"), "no host name", id="a-sender-that-is-an-option"),
        pytest.param(put(TRANSFER, sender="tank/db;reboot"), "does not allow", id="a-sender-no-zfs-allows"),
        pytest.param(put(TRANSFER, sender_guid="0"), "no guid", id="a-sender-without-a-guid"),
        pytest.param(put(TRANSFER, receiver_guid="0"), "no guid", id="a-receiver-with-the-guid-of-nothing"),
        pytest.param(put(TRANSFER, receiver="bk"), "root of a pool", id="a-receiver-that-is-a-pool"),
        pytest.param(put(TRANSFER, token="-A"), "no resume token", id="a-token-that-is-an-option"),
        pytest.param(put(TRANSFER, replication="Beta!"), "no name of a replication", id="a-replication-of-no-policy"),
        pytest.param(put(FIRST, properties={"readonly": "off"}), "readonly=off", id="a-receiver-that-can-be-written"),
        pytest.param(put(FIRST, properties={"canmount": "on"}), "canmount=on", id="a-receiver-that-mounts-itself"),
        pytest.param(put(FIRST, properties={"mountpoint": "/"}), "mountpoint=/", id="a-receiver-over-the-root"),
        pytest.param(put(FIRST, properties={"keylocation": "http://x"}), "is not set", id="a-key-from-elsewhere"),
        pytest.param(put(FIRST, properties={"zfsctl:aside": "1"}), "is not set", id="a-mark-of-ours"),
        pytest.param(put(FIRST, properties={"compression": "on\nx"}), "no value", id="a-value-of-two-lines"),
        pytest.param(put(ANCHORS, properties={"readonly": "off"}), "readonly=off", id="anchors-that-accept-it-written"),
        pytest.param(send(TRANSFER, source="@a b,c"), "does not allow", id="a-source-of-several-names"),
        pytest.param(
            send(FIRST, source="-p", source_guid="7"), "no snapshot or bookmark", id="a-source-that-is-an-option"
        ),
        pytest.param(send(TRANSFER, source="other/db@a"), "pool of tank/db", id="an-origin-in-another-pool"),
        pytest.param(send(TRANSFER, source_guid=None), "do not go together", id="a-source-without-its-guid"),
        pytest.param(send(FIRST, source_guid="5"), "do not go together", id="a-guid-without-its-source"),
        pytest.param(send(TRANSFER, source="#mark"), "brings one snapshot", id="a-run-from-a-bookmark"),
        pytest.param(send(TRANSFER, source="", source_guid=None), "brings one snapshot", id="a-full-run"),
        pytest.param(send(TRANSFER, snapshots=[]), "it is empty", id="a-send-of-nothing"),
        pytest.param(send(TRANSFER, snapshots=[{"name": "a%b", "guid": "1"}]), "allow", id="a-range-of-snapshots"),
        pytest.param(then(("z", "8"), source="@elsewhere", guid="7"), "hang together", id="a-gap-between-two-sends"),
        pytest.param(put(HOLD, tag="zfsctl:other:send"), "no hold of", id="the-hold-of-another-replication"),
        pytest.param(put(HOLD, tag="-r"), "no hold of", id="a-hold-that-is-an-option"),
        pytest.param(put(HOLD, snapshots=[]), "it is empty", id="a-hold-on-nothing"),
        pytest.param(put(PARENTS, datasets=["bk"]), "root of a pool", id="a-pool-as-a-parent"),
        pytest.param(put(PARENTS, datasets=["bk/../x"]), "not allowed", id="a-parent-that-climbs"),
        pytest.param(put(ABORT, token=f"{TOKEN} x"), "no resume token", id="an-abort-of-no-token"),
        pytest.param(put(ABORT, dataset="bk"), "root of a pool", id="an-abort-of-a-pool"),
        pytest.param(put(RENAME, to="a@b"), "does not allow", id="a-rename-into-another-dataset"),
        pytest.param(
            put(ANCHORS, bookmarks=[{"name": "mine", "guid": "5"}]), "no cursor", id="a-bookmark-of-somebody-else"
        ),
        pytest.param(
            put(ANCHORS, bookmarks=[{"name": "zfsctl-alpha-00000000000000b1", "guid": "177"}]),
            "no cursor",
            id="a-cursor-of-another-replication",
        ),
        pytest.param(
            put(ANCHORS, notes=[{"snapshot": {"name": "a", "guid": "5"}, "properties": {"zfsctl:policy": "p"}}]),
            "is not copied",
            id="a-note-that-makes-a-snapshot-scheduled",
        ),
        pytest.param(put(ANCHORS, held=[{"name": "a", "guid": "0"}]), "no guid", id="a-hold-without-a-guid"),
    ],
)
def test_what_zfsctl_would_not_plan_is_refused(change: Change, why: str) -> None:
    document = json.loads(GOLDEN.read_text())
    change(document["data"]["steps"])

    with pytest.raises(UsageError) as caught:
        read_plan(json.dumps(document), source="night.json")

    assert why in caught.value.why
