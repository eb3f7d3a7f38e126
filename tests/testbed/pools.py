"""Fresh small pools on either host, for one test each."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tests.testbed.host import Host, HostError

FOLDER: Final = "/var/testbed"
DESTROY_LIMIT: Final = 60


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool on a file of a host, imported, mounted at /<name>."""

    host: Host
    name: str

    @property
    def device(self) -> str:
        """The file that the pool lies on."""
        return f"{FOLDER}/{self.name}.img"

    def __str__(self) -> str:
        return self.name


def create_pool(
    host: Host,
    *,
    size: str = "256M",
    features: Mapping[str, str] | None = None,
    options: Mapping[str, str] | None = None,
    name: str | None = None,
) -> Pool:
    """Make a pool on a sparse file.

    Args:
        size: The file's size as truncate(1) takes it; 64M is the least that OpenZFS accepts.
        features: Pool properties, such as {"feature@bookmark_v2": "disabled"} or {"autotrim": "on"}.
        options: Properties of the root dataset, such as {"canmount": "off"}.
        name: Unique by default.
    """
    pool = Pool(host, name or f"pool{secrets.token_hex(4)}")
    words = ["zpool", "create", "-f", "-o", "cachefile=none"]
    for key, value in (features or {}).items():
        words += ["-o", f"{key}={value}"]
    for key, value in (options or {}).items():
        words += ["-O", f"{key}={value}"]
    # In one exchange: each takes as long as the whole of a small command on an emulated processor.
    steps = (["mkdir", "-p", FOLDER], ["truncate", "-s", size, pool.device], [*words, pool.name, pool.device])
    host.ssh(" && ".join(shlex.join(step) for step in steps))
    return pool


def destroy_pool(pool: Pool) -> None:
    """Destroy a pool, whatever is in it; a pool that is gone already is no error.

    A pool that hangs cannot be destroyed: then its host is ended and booted again, which empties it.
    """
    host = pool.host
    # A send or receive that a test cut off may keep the pool busy for a moment.
    gone = (
        f"for try in 1 2 3 4 5; do zpool list -H {pool.name} >/dev/null 2>&1 || break; "
        f"zpool destroy -f {pool.name} && break; sleep 1; done; "
        f"zpool list -H {pool.name} >/dev/null 2>&1 && exit 1; rm -f {pool.device}; rmdir /{pool.name} 2>/dev/null; :"
    )
    try:
        done = host.ssh(gone, check=False, timeout=DESTROY_LIMIT)
        if done.rc == 0:
            return
    except HostError:
        pass
    host.restart()
