"""An operator's machine for one test: a policy file, own state, cache and locks, and the installed command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.documents.schemas import validator_of
from tests.testbed.host import Host
from zfsctl.operations.session import Session, SessionOptions, open_session

ZFSCTL = Path(sys.executable).with_name("zfsctl")
LIMIT = 600
"""Seconds until a command must have ended; the guests are emulated."""

FIRST_OF_JANUARY = "0 0 1 1 *"
"""Due once: when there is no snapshot yet."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A command that has ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def document(self) -> dict[str, Any]:
        """The one document of --json, checked against its schema."""
        document: dict[str, Any] = json.loads(self.stdout)
        kind = document["schema"].removeprefix("zfsctl.").removesuffix("/1")
        validator_of(kind).validate(document)
        return document

    @property
    def data(self) -> dict[str, Any]:
        """What the document is about."""
        data: dict[str, Any] = self.document["data"]
        return data

    @property
    def findings(self) -> list[tuple[str, str, str]]:
        """Code, host and dataset of every finding."""
        return [(one["code"], one["host"], one["dataset"]) for one in self.data["findings"]]

    @property
    def steps(self) -> list[str]:
        """The kinds of the steps, in their order."""
        return [step["kind"] for step in self.data["steps"]]

    @property
    def results(self) -> list[str]:
        """How the steps ended, in their order."""
        return [outcome["result"] for outcome in self.data["outcomes"]]

    def members(self, result: str) -> list[str]:
        """Full names of the members of all steps that ended so."""
        return [
            f"{member['dataset']}@{member['snapshot']}"
            for outcome in self.data["outcomes"]
            for member in outcome["members"]
            if member["result"] == result
        ]

    def guids(self) -> dict[str, str]:
        """The guid of every member of every step, by full name."""
        return {
            f"{member['dataset']}@{member['snapshot']}": member["guid"]
            for outcome in self.data["outcomes"]
            for member in outcome["members"]
        }


@dataclass(slots=True)
class Operator:
    """Where zfsctl runs: not on the hosts."""

    folder: Path
    hosts: Mapping[str, Host]
    settings: dict[str, dict[str, object]] = field(default_factory=dict)
    """What the policy says of each host."""

    def __post_init__(self) -> None:
        for name, host in self.hosts.items():
            self.settings[name] = {
                "hostname": host.address,
                "port": host.port,
                "user": "root",
                "identity_file": str(host.identity_file),
                "known_hosts": str(host.known_hosts),
            }

    @property
    def config(self) -> Path:
        """The policy file."""
        return self.folder / "zfsctl.toml"

    @property
    def environ(self) -> dict[str, str]:
        """Nothing of this machine but what a process needs."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ZFSCTL_", "XDG_"))}
        return kept | {
            "ZFSCTL_CONFIG": str(self.config),
            "ZFSCTL_STATE_DIR": str(self.folder / "state"),
            "ZFSCTL_RUNTIME_DIR": str(self.folder / "run"),
            "ZFSCTL_CACHE_DIR": str(self.folder / "cache"),
        }

    def writes(self, policy: str) -> None:
        """Write the policy file: the hosts, and `policy`."""
        import tomli_w

        document = {"hosts": self.settings} | tomllib.loads(policy)
        self.config.write_text(tomli_w.dumps(document))

    def writes_rules(self, *select: str, keep: str = "last = 2", snapshot: str = FIRST_OF_JANUARY) -> None:
        """Write a policy of one rule, called `small`."""
        self.writes(
            f"""
            [policies.small]
            snapshot = "{snapshot}"
            keep = {{ {keep} }}
            [[datasets]]
            select = {json.dumps(select)}
            policy = "small"
            """
        )

    def zfsctl(self, *words: str | Path, json: bool = True) -> Answer:
        """Run the installed command and wait for it."""
        with self.started(*words, json=json) as process:
            stdout, stderr = process.communicate(timeout=LIMIT)
        return Answer(process.returncode, stdout, stderr)

    @contextmanager
    def started(self, *words: str | Path, json: bool = True) -> Iterator[subprocess.Popen[str]]:
        """Run the installed command, without waiting for it; at the end it is gone."""
        yield from self._started([str(ZFSCTL), *map(str, words), *(["--json"] if json else [])])

    @contextmanager
    def started_python(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """Run a module of Python in the same surroundings."""
        yield from self._started([sys.executable, *words])

    def _started(self, argv: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environ,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()

    @contextmanager
    def session(self, *, dry_run: bool = False) -> Iterator[Session]:
        """What a command works with, for faults between its plan and its apply."""
        with open_session(SessionOptions(config=self.config, dry_run=dry_run, environ=self.environ)) as session:
            yield session
