"""A run: a folder of its own, both hosts booted side by side, ended when the run ends."""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from tests.testbed.host import ATTEMPTS, Host, HostEndedError
from tests.testbed.image import Image, ensure_image, exclusive, find_image, remove_tree
from tests.testbed.machine import CannotMakeHosts, Say, check_machine, install_missing
from tests.testbed.qemu import Machine, free_port
from tests.testbed.recipe import HOSTS, RECIPES, USERS, Recipe


@dataclass(slots=True)
class Pair:
    """Two booted hosts."""

    folder: Path
    image: Image
    hosts: dict[str, Host]
    keep: bool  # left running for later runs
    claim: TextIO | None = field(default=None, repr=False)  # the lock, held as long as this run needs the folder

    @property
    def alpha(self) -> Host:
        return self.hosts["alpha"]

    @property
    def beta(self) -> Host:
        return self.hosts["beta"]

    @property
    def series(self) -> str:
        return self.image.recipe.series

    def end(self) -> None:
        """End both hosts and remove the folder. Ending twice is no error."""
        for host in self.hosts.values():
            host.end()
        remove_tree(self.folder)
        if self.claim is not None:
            self.claim.close()


def recipe_for(series: str) -> Recipe:
    """The recipe of a series such as "2.3"."""
    if series not in RECIPES:
        raise CannotMakeHosts(f"no recipe for OpenZFS {series}; there are {', '.join(RECIPES)}")
    return RECIPES[series]


def runs_folder() -> Path:
    """Where all runs of this user have their folders. Short, because socket paths are limited to 107 bytes."""
    folder = Path(tempfile.gettempdir()) / f"zfsctl-testbed-{os.geteuid()}"
    if len(str(folder)) > 60:
        folder = Path("/tmp") / folder.name
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise CannotMakeHosts(f"{folder} belongs to somebody else")
    return folder


def remove_dead_runs() -> None:
    """Remove the folders of runs of which no process is left: everyone alive shares the lock of its run."""
    with claiming_runs():
        for lock in runs_folder().glob("run-*/lock"):
            with lock.open("a") as handle:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                remove_tree(lock.parent)


@contextmanager
def claiming_runs() -> Iterator[None]:
    """Keep other processes from making or removing folders of runs for a moment."""
    with (runs_folder() / "lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def boot_pair(series: str, say: Say, *, keep: bool = False, names: Iterable[str] = HOSTS) -> Pair:
    """Boot a pair of hosts, after building the image if it is absent.

    Args:
        keep: Leave it running when this process ends, and let later runs find it.
        names: Boot only these, for work that needs one host.

    Raises:
        CannotMakeHosts: something is missing on this machine.
        HostError: a host did not come up.
    """
    recipe = recipe_for(series)
    image = ensure_image(recipe, say)
    check_machine(building=False)
    with exclusive(runs_folder() / "packages.lock", say):
        install_missing(say, building=False)
    remove_dead_runs()
    for attempt in range(1, ATTEMPTS + 1):
        started = time.monotonic()
        say(f"booting {' and '.join(names)} with OpenZFS {series}")
        pair = new_pair(image, names, keep=keep)
        if not keep:
            atexit.register(pair.end)
        try:
            start_pair(pair)
        except BaseException as error:
            pair.end()
            if isinstance(error, HostEndedError) and attempt < ATTEMPTS:
                say(f"once more: {error}")
                continue
            raise
        say(f"booted in {time.monotonic() - started:.0f} s")
        if keep:
            publish(pair)
        return pair
    raise AssertionError("the last attempt returns or raises")


def new_pair(image: Image, names: Iterable[str] = HOSTS, *, keep: bool) -> Pair:
    """A pair that is not started yet, in a new folder."""
    ports = {name: free_port() for name in names}
    with claiming_runs():
        folder = Path(tempfile.mkdtemp(prefix="run-", dir=runs_folder()))
        pair = make_pair(folder, image, ports, keep=keep)
        pair.claim = (folder / "lock").open("a")
        fcntl.flock(pair.claim, fcntl.LOCK_SH)
    return pair


def make_pair(folder: Path, image: Image, ports: dict[str, int], *, keep: bool) -> Pair:
    """The pair of `folder`, whether it runs or not."""
    lock = folder / "lock"
    hosts = {name: Host(Machine(name, folder, ports[name]), image, keep, lock) for name in ports}
    return Pair(folder, image, hosts, keep)


def start_pair(pair: Pair) -> None:
    """Start both hosts and wait for both."""
    write_ssh_files(pair)
    for host in pair.hosts.values():
        host.start()
    with ThreadPoolExecutor() as pool:
        list(pool.map(Host.wait, pair.hosts.values()))


def write_ssh_files(pair: Pair) -> None:
    """The known hosts and the client configuration of a run."""
    known, config = [], []
    for name, host in pair.hosts.items():
        known.append(f"[127.0.0.1]:{host.port},{name} {pair.image.host_key(name)}\n")
        config.append(
            f"Host {name}\n  HostName 127.0.0.1\n  Port {host.port}\n  ControlPath {pair.folder}/{name}.%r.ctl\n"
        )
    config.append(
        "Host *\n"
        "  User root\n"
        f"  IdentityFile {pair.image.client_key}\n"
        "  IdentitiesOnly yes\n"
        f"  UserKnownHostsFile {pair.folder}/known_hosts\n"
        "  GlobalKnownHostsFile /dev/null\n"
        "  StrictHostKeyChecking yes\n"
        "  BatchMode yes\n"
        "  ConnectTimeout 60\n"
        "  ServerAliveInterval 30\n"
        "  LogLevel ERROR\n"
    )
    (pair.folder / "known_hosts").write_text("".join(known))
    (pair.folder / "ssh_config").write_text("".join(config))


def publish(pair: Pair) -> None:
    """Tell later runs of a pair that stays up, and people by a link that keeps its name."""
    address_file(pair.image.recipe).write_text(json.dumps(describe(pair)))
    link = stable_folder(pair.image.recipe)
    link.unlink(missing_ok=True)
    link.symlink_to(pair.folder.name)


def stable_folder(recipe: Recipe) -> Path:
    """A link to the folder of the pair that was left running."""
    return runs_folder() / f"up-{recipe.series}"


def address_file(recipe: Recipe) -> Path:
    """Tells later runs of this user of a pair that was left running."""
    return runs_folder() / f"up-{recipe.series}.json"


def describe(pair: Pair) -> dict[str, object]:
    """What the address file holds, enough to find the pair again and to log in by hand."""
    return {
        "folder": str(pair.folder),
        "image": pair.image.recipe.key,
        "ssh_config": str(pair.folder / "ssh_config"),
        "known_hosts": str(pair.folder / "known_hosts"),
        "identity_file": str(pair.image.client_key),
        "users": ["root", *USERS],
        "ports": {name: host.port for name, host in pair.hosts.items()},
    }


def find_pair(series: str, say: Say) -> Pair | None:
    """The pair that `up` left running, with a host that hangs booted again; None if there is none.

    A pair of an older recipe counts as none.
    """
    recipe = recipe_for(series)
    image = find_image(recipe)
    told = read_address(recipe)
    if image is None or told is None or told["image"] != recipe.key:
        return None
    pair = make_pair(Path(told["folder"]), image, told["ports"], keep=True)
    with (pair.folder / "revival").open("a") as handle:
        # One of several runs that find a host hanging boots it again; the others find it healthy then.
        fcntl.flock(handle, fcntl.LOCK_EX)
        with ThreadPoolExecutor() as pool:
            healthy = dict(zip(pair.hosts, pool.map(Host.healthy, pair.hosts.values()), strict=True))
        for name, well in healthy.items():
            if not well:
                say(f"{name} hangs or is gone; booting it again")
                pair.hosts[name].restart()
    return pair


def read_address(recipe: Recipe) -> dict[str, Any] | None:
    """What `publish` wrote, unless there is nothing or its folder is gone."""
    try:
        told: dict[str, Any] = json.loads(address_file(recipe).read_text())
    except (OSError, ValueError):
        return None
    return told if Path(told["folder"]).is_dir() else None


def take_down(series: str) -> bool:
    """End the pair that `up` left running, healthy or not; False if there was none."""
    recipe = recipe_for(series)
    told = read_address(recipe)
    if told is None:
        return False
    folder = Path(told["folder"])
    for name, port in told["ports"].items():
        Machine(name, folder, port).end()
    remove_tree(folder)
    address_file(recipe).unlink(missing_ok=True)
    stable_folder(recipe).unlink(missing_ok=True)
    return True
