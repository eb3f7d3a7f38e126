"""What the rules of the policy file say of datasets that are receivers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from zfsctl.config.checks import NO_POLICY
from zfsctl.config.flows import Flow, by_sending_host, downstream
from zfsctl.config.merge import KeyPath, Merged
from zfsctl.config.problems import Problem
from zfsctl.config.replication_values import PLACEHOLDER
from zfsctl.config.shape import PolicyDocument
from zfsctl.errors import ConfigError
from zfsctl.model.names import Place, is_at_or_below
from zfsctl.model.policy import DatasetRule, Pattern
from zfsctl.planner.matching import literal_prefix, selects_host
from zfsctl.planner.selection import rule_of


def check_receivers(merged: Merged, document: PolicyDocument, flows: Sequence[Flow]) -> Iterator[Problem]:
    """That no rule takes snapshots of a receiver, and that exactly one says what it keeps.

    Args:
        merged: The files; for places.
        document: All that stands in them, so that positions are those of the files.
        flows: Those between hosts that exist.
    """
    rules = tuple(
        DatasetRule(
            where=merged.where(("datasets", position)),
            select=tuple(table.select),
            policy=None if table.policy == NO_POLICY else table.policy,
            exclude=tuple(table.exclude),
        )
        for position, table in enumerate(document.datasets)
    )
    scheduled = {name for name, policy in document.policies.items() if policy.snapshot is not None}
    yield from _check_rules(merged, rules, scheduled, flows)
    yield from _check_retention_downstream(merged, rules, flows)


def _check_rules(
    merged: Merged, rules: Sequence[DatasetRule], scheduled: set[str], flows: Sequence[Flow]
) -> Iterator[Problem]:
    """A snapshot of the receiver's own would make its chain part from the sender's; a second rule for what is kept
    would destroy what the first one keeps.

    A pattern with wildcards that may select something below a receiver is judged when its datasets are known.
    """
    told: set[tuple[int, KeyPath]] = set()
    for flow in flows:
        replication = flow.replication
        followed = _rule_of(rules, flow.receiver)
        for position, rule in enumerate(rules):
            if rule.policy is None or (position, flow.path) in told:
                continue
            if rule is followed:
                what = str(flow.receiver)
                dataset = replication.receiver_dataset.replace(PLACEHOLDER, "*")
                hint = f'exclude = ["{replication.receiver_host}:{dataset}"]'
            elif inside := _selects_only_inside(rule, flow.receiver):
                what = f'"{inside.text}", inside {flow.receiver}'
                hint = "remove it; the replication brings the snapshots"
            else:
                continue
            told.add((position, flow.path))
            path: KeyPath = ("datasets", position, "select")
            if rule.policy in scheduled:
                yield merged.problem(
                    path,
                    f"policy {rule.policy!r} takes snapshots of {what}, a receiver of {replication.name!r}",
                    f"no snapshot policy on a dataset that is a receiver, see {merged.where(flow.path)}; "
                    "a policy without `snapshot` may prune there",
                    hint,
                )
            elif replication.keep:
                yield merged.problem(
                    path,
                    f"policy {rule.policy!r} prunes {what}, and so does the keep of {replication.name!r}",
                    f"one of the two, else what one keeps the other destroys; see {merged.where(flow.path)}",
                    hint,
                )


def _selects_only_inside(rule: DatasetRule, receiver: Place) -> Pattern | None:
    """The first pattern of a rule that cannot select anything but datasets below a receiver."""
    below = f"{receiver.dataset}/"
    return next(
        (
            pattern
            for pattern in rule.select
            if selects_host(pattern, receiver.host) and literal_prefix(pattern.dataset).startswith(below)
        ),
        None,
    )


def _check_retention_downstream(
    merged: Merged, rules: Sequence[DatasetRule], flows: Sequence[Flow]
) -> Iterator[Problem]:
    """Without a `keep` of its own a receiver is kept by the sender's policy, which a receiver often has not."""
    told: set[KeyPath] = set()
    by_host = by_sending_host(flows)
    for first in flows:
        if first.replication.keep:
            continue
        for second in downstream(first, by_host):
            if second.replication.keep or second.path in told:
                continue
            between = second.sender if is_at_or_below(second.sender.dataset, first.receiver.dataset) else first.receiver
            rule = _rule_of(rules, between)
            if rule is None or rule.policy is None:
                told.add(second.path)
                yield merged.problem(
                    second.path,
                    f"`keep` is missing: {between} is a receiver of {first.replication.name!r}, "
                    "and neither a policy nor a keep there says what is kept",
                    f"what {second.receiver} keeps",
                    "keep = { daily = 30, monthly = 24 }",
                )


def _rule_of(rules: Sequence[DatasetRule], place: Place) -> DatasetRule | None:
    """The rule that a dataset follows; None also where two tie, which is refused as soon as the dataset is there."""
    try:
        return rule_of(rules, place.host, place.dataset)
    except ConfigError:
        return None
