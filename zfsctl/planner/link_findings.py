"""What is to be said of a pair that cannot be sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from zfsctl.model.finding import Finding, Severity
from zfsctl.model.lineage import LinkState
from zfsctl.model.names import MAX_NAME_BYTES
from zfsctl.model.policy import PolicyFile
from zfsctl.model.transfer import Send, cursor_name
from zfsctl.planner.anchoring import age_of_oldest, standing_of, unreceived
from zfsctl.planner.links import Link
from zfsctl.planner.pairing import Pair
from zfsctl.planner.pasting import explaining, line_for
from zfsctl.planner.wording import span, window_text


def finding_of(link: Link) -> Finding | None:
    """What a state that nothing is done about has to say."""
    found = link.lineage
    match link.lineage.state:
        case LinkState.CURRENT | LinkState.EMPTY:
            return None
        case LinkState.AWAY:
            return _away(link)
        case LinkState.BUSY:
            return _about(link, Severity.INFO, "receiving", found.why)
        case LinkState.REPAIRING:
            return _about(link, Severity.INFO, "comes-home", found.why)
        case LinkState.UNKNOWN:
            return _about(link, Severity.CRITICAL, "link-unknown", f"not replicated: {found.why}")
        case _:
            return _about(link, Severity.CRITICAL, str(found.state), found.why)


def _away(link: Link) -> Finding:
    """An unplugged pool is no trouble until what it lacks has waited for longer than the policy lets it be away.

    Until then all pairs of a tree say the same, so that it is told once.
    """
    replication = link.pair.replication
    away = replication.away
    standing = standing_of(replication.name, link.sender, link.receiver)
    waiting = unreceived(standing, link.candidates)
    age = age_of_oldest(waiting, link.sender.host.clock)
    if away is None or age <= away:
        tree = link.pair.tree
        whole = replace(link, pair=Pair(tree, tree.sender, tree.receiver))
        return _about(whole, Severity.INFO, "unplugged", f"nothing is sent, {link.lineage.why}")
    why = f"{link.lineage.why}; the oldest snapshot waits for {span(age)}, away is {window_text(away)}"
    return _about(link, Severity.CRITICAL, "away", f"not replicated: {why}")


def message_of(link: Link, finding: Finding) -> str:
    """What a finding says about a pair, for where the pair is named already."""
    return finding.message.removeprefix(_named(link))


def _named(link: Link) -> str:
    return f"{link.pair.replication.name}: {link.pair}: "


def not_repaired(link: Link, what: str, hint: str) -> Finding:
    """Why a broken chain stays broken for now."""
    return _about(link, Severity.CRITICAL, str(link.lineage.state), f"{link.lineage.why}; {what}", hint)


def _about(link: Link, severity: Severity, code: str, message: str, hint: str = "") -> Finding:
    tree = link.pair.tree
    return Finding(
        severity,
        code,
        tree.receiver_host,
        link.pair.receiver,
        f"{_named(link)}{message}",
        hint or explaining(link.pair.replication),
    )


def too_late(pair: Pair) -> Finding:
    return Finding(
        Severity.WARNING,
        "pending-limit",
        pair.tree.sender_host,
        pair.sender,
        f"{pair.replication.name}: {pair}: snapshots wait for longer than pending_limit, "
        "so the rules of the sender may destroy them before they were received",
        explaining(pair.replication),
    )


def no_room(link: Link, size: int, free: int) -> Finding:
    return _about(
        link,
        Severity.CRITICAL,
        "no-space",
        f"the first copy was not begun, it needs about {size} bytes and the receiver has {free}",
    )


def no_key(link: Link, policy: PolicyFile) -> Finding:
    return _about(
        link,
        Severity.CRITICAL,
        "key-not-loaded",
        "not sent, its chain is not raw and the sender's key is not loaded",
        line_for(policy, link.pair.tree.sender_host, "zfs", "load-key", link.pair.sender),
    )


def open_receiver(link: Link, policy: PolicyFile) -> Finding:
    return _about(
        link,
        Severity.WARNING,
        "open-receiver",
        "the copy is not read-only; whoever mounts it and writes to it breaks the chain",
        line_for(policy, link.pair.tree.receiver_host, "zfs", "set", "readonly=on", link.pair.receiver),
    )


def sender_is_repaired(link: Link) -> Finding:
    return _about(
        link, Severity.INFO, "sender-repaired", "left to the next run, because this one repairs what it is sent from"
    )


def root_was_changed(link: Link) -> Finding:
    return _about(
        link,
        Severity.CRITICAL,
        "encryption-root",
        "not sent, a raw increment would damage a copy whose encryption root was changed (openzfs #12614)",
    )


def foreign_receive(link: Link, policy: PolicyFile) -> Finding:
    return _about(
        link,
        Severity.CRITICAL,
        "foreign-receive",
        f"not sent, {link.lineage.why}, and it was not begun by zfsctl",
        line_for(policy, link.pair.tree.receiver_host, "zfs", "receive", "-A", link.pair.receiver),
    )


def too_long(link: Link, sends: Sequence[Send], moved_to: Sequence[str]) -> Finding | None:
    """Whether a name could not be that arrives, or that a clash is `moved_to`, or that of the cursor on the sender."""
    arrives = max((ref.name for send in sends for ref in send.snapshots), key=lambda name: len(name.encode()))
    cursor = cursor_name(link.pair.replication.name, sends[-1].snapshots[-1].guid)
    wanted = [f"{link.pair.receiver}@{name}" for name in (arrives, *moved_to)] + [f"{link.pair.sender}#{cursor}"]
    full = max(wanted, key=lambda name: len(name.encode()))
    if len(full.encode()) <= MAX_NAME_BYTES:
        return None
    return _about(
        link, Severity.CRITICAL, "name-too-long", f"not sent, {full} would have more than {MAX_NAME_BYTES} bytes"
    )
