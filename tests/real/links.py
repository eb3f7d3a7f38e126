"""A tree on alpha and its copy on beta, for the tests of replication and repair."""

from __future__ import annotations

import json

from tests.real.operators import Operator
from tests.real.zfs import do, scheduled, take
from tests.testbed.pools import Pool

NAMES = [scheduled(1), scheduled(2), scheduled(3)]


class Link:
    """A replication called `copy` from a tree on alpha to one on beta."""

    def __init__(self, operator: Operator, source: Pool, target: Pool) -> None:
        self.operator = operator
        self.source = source
        self.target = target
        self.sender = f"{source}/data"
        self.receiver = f"{target}/copies/data"

    def writes_policy(self, more: str = "", *, keep: str = "last = 50", select: str = "") -> None:
        self.operator.writes(
            f"""
            [policies.small]
            keep = {{ {keep} }}
            [[datasets]]
            select = {json.dumps([select or f"alpha:{self.sender}"])}
            policy = "small"
            [[replications]]
            name = "copy"
            sender = "alpha:{self.sender}"
            receiver = "beta:{self.receiver}"
            {more}
            """
        )

    def fills(self, *below: str) -> None:
        """The sender's tree: files, then three snapshots with more files between them."""
        names = [self.sender, *(f"{self.sender}/{name}" for name in below)]
        do(self.source.host, *(f"zfs create '{name}'" for name in names))
        for number, snapshot in enumerate(NAMES):
            self.adds(f"file{number}", names)
            do(self.source.host, *take(names, [snapshot]))

    def adds(self, name: str, datasets: list[str], kilobytes: int = 300) -> None:
        do(self.source.host, *(f"head -c {kilobytes}K /dev/urandom >'/{dataset}/{name}'" for dataset in datasets))

    def contents(self, pool: Pool, dataset: str, snapshot: str) -> str:
        """Names, sizes and checksums of all files of a snapshot, mounted or not."""
        return do(
            pool.host,
            f"d=$(mktemp -d); mount -t zfs -o ro '{dataset}@{snapshot}' $d",
            "cd $d; find . -type f -exec sha256sum {} + | sort -k2; cd /; umount $d; rmdir $d",
        )

    def is_same(self, snapshot: str, *below: str) -> None:
        for name in ("", *(f"/{one}" for one in below)):
            sent = self.contents(self.source, self.sender + name, snapshot)
            assert sent
            assert self.contents(self.target, self.receiver + name, snapshot) == sent

    def holds(self, pool: Pool) -> dict[str, str]:
        """By snapshot, the tags on it."""
        held = do(
            pool.host,
            f'zfs list -H -r -t snapshot -o name {pool} | while IFS= read -r s; do zfs holds -H "$s"; done',
        )
        return {line.split("\t")[0]: line.split("\t")[1] for line in held.splitlines()}

    def cursors(self) -> list[str]:
        return do(self.source.host, f"zfs list -H -r -t bookmark -o name {self.source}").splitlines()
