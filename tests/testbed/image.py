"""Builds the disk and kernel of a recipe once, and keeps them in the user's cache folder."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.testbed.machine import (
    KEYRING,
    CannotMakeHosts,
    Say,
    apt_options,
    check_machine,
    debian_archive,
    find_program,
    install_missing,
)
from tests.testbed.recipe import DISK_SIZE, FINISH, GUEST_FILES, HOSTS, MODES, PACKAGES, USERS, Recipe

BUILD_LIMIT: Final = 3600
"""Seconds that a build may take, and that another run waits for it."""

EXCLUDED: Final = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*")


@dataclass(frozen=True, slots=True)
class Image:
    """A built image. Its folder is complete, or it does not exist."""

    recipe: Recipe
    folder: Path

    @property
    def disk(self) -> Path:
        """The root disk, raw and sparse; never booted itself, only through overlays."""
        return self.folder / "disk.raw"

    @property
    def kernel(self) -> Path:
        return self.folder / "vmlinuz"

    @property
    def client_key(self) -> Path:
        """The private key that logs in as root and as every user of `recipe.USERS`."""
        return self.folder / "keys" / "client_ed25519"

    def host_key(self, name: str) -> str:
        """The public host key of `name`, as "type base64"."""
        text = (self.folder / "keys" / name / "ssh_host_ed25519_key.pub").read_text()
        return " ".join(text.split()[:2])


def cache_folder() -> Path:
    """Where images are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "zfsctl-testbed"


def find_image(recipe: Recipe) -> Image | None:
    """The image of `recipe`, if it was built already."""
    folder = cache_folder() / recipe.key
    return Image(recipe, folder) if folder.is_dir() else None


def ensure_image(recipe: Recipe, say: Say) -> Image:
    """The image of `recipe`, built now if it is absent; several runs build it only once.

    Raises:
        CannotMakeHosts: something is missing on this machine, or the build failed.
    """
    found = find_image(recipe)
    if found is not None:
        return found
    check_machine(building=True)
    cache_folder().mkdir(parents=True, exist_ok=True)
    with exclusive(cache_folder() / f"{recipe.key}.lock", say):
        found = find_image(recipe)
        if found is not None:
            return found
        install_missing(say, building=True)
        return build_image(recipe, say)


@contextmanager
def exclusive(lock: Path, say: Say) -> Iterator[None]:
    """Hold `lock`, waiting for another holder up to `BUILD_LIMIT`."""
    with lock.open("a") as handle:
        deadline = time.monotonic() + BUILD_LIMIT
        told = False
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not told:
                    say("waiting for another run that builds the same image")
                    told = True
                if time.monotonic() > deadline:
                    raise CannotMakeHosts(f"another run holds {lock} since more than {BUILD_LIMIT} s") from None
                time.sleep(1)
        yield


def build_image(recipe: Recipe, say: Say) -> Image:
    """Build into a temporary folder and rename it when complete. The lock of the recipe must be held."""
    started = time.monotonic()
    final = cache_folder() / recipe.key
    partial = cache_folder() / f"{recipe.key}.partial"
    log = cache_folder() / f"{recipe.key}.log"
    remove_tree(partial)
    say(f"building the OpenZFS {recipe.series} image (about 5 minutes; log: {log})")
    try:
        partial.mkdir(mode=0o700)
        make_keys(partial / "keys")
        write_guest_files(partial / "files", partial / "keys")
        bootstrap(recipe, partial, log)
        make_disk(partial / "root", partial / "disk.raw")
        version = (partial / "zfs-version").read_text()
        if not version.startswith(f"{recipe.series}."):
            raise CannotMakeHosts(f"{recipe.zfs_suite} carries OpenZFS {version}, not {recipe.series}")
        for waste in ("root", "files", "apt.conf", "preferences", "finish", "early"):
            remove_tree(partial / waste)
        partial.rename(final)
    except BaseException:
        remove_tree(partial)
        raise
    say(f"built OpenZFS {version} in {time.monotonic() - started:.0f} s")
    return Image(recipe, final)


def make_keys(folder: Path) -> None:
    """One key for the client and one for each host."""
    folder.mkdir()
    targets = {folder / "client_ed25519": "zfsctl-testbed"}
    for name in HOSTS:
        (folder / name).mkdir()
        targets[folder / name / "ssh_host_ed25519_key"] = name
    for path, comment in targets.items():
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)])


def write_guest_files(folder: Path, keys: Path) -> None:
    """The tree that is laid over the new system: `GUEST_FILES`, the keys, and known hosts for all users."""
    for path, text in GUEST_FILES.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(MODES.get(path, 0o644))
    shutil.copytree(keys, folder / "etc/testbed")
    known = "".join(
        f"{name},{address} {(keys / name / 'ssh_host_ed25519_key.pub').read_text()}" for name, address in HOSTS.items()
    )
    (folder / "etc/ssh/ssh_known_hosts").write_text(known)


def bootstrap(recipe: Recipe, partial: Path, log: Path) -> None:
    """Make the root file system with this machine's own archive and apt settings."""
    options = partial / "apt.conf"
    options.write_text(
        "\n".join(['Acquire::Languages "none";', 'APT::Install-Recommends "false";', *apt_options()]) + "\n"
    )
    preferences = partial / "preferences"
    preferences.write_text(f"Package: src:zfs-linux\nPin: release n={recipe.zfs_suite}\nPin-Priority: 990\n")
    finish = partial / "finish"
    finish.write_text(FINISH)
    finish.chmod(0o755)
    early = partial / "early"
    early.write_text(
        '#!/bin/sh\nset -eu\nmkdir -p "$1/etc/apt/preferences.d" "$1/etc/initramfs-tools/conf.d"\n'
        f'cp {preferences} "$1/etc/apt/preferences.d/zfs"\n'
        # The kernel's package makes an initrd as well; this keeps that one small.
        'cp "$FILES/etc/initramfs-tools/conf.d/testbed" "$1/etc/initramfs-tools/conf.d/"\n'
    )
    early.chmod(0o755)
    archive = debian_archive()
    command = [
        *("unshare", "--mount", "--propagation", "private", "--fork", "--kill-child"),
        *("mmdebstrap", "--variant=apt", "--mode=root", f"--aptopt={options}"),
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in EXCLUDED),
        f"--include={','.join(PACKAGES)}",
        f'--setup-hook={early} "$1"',
        f'--customize-hook={finish} "$1"',
        recipe.suite,
        str(partial / "root"),
        *(f"deb [signed-by={KEYRING}] {archive} {suite} main contrib" for suite in recipe.suites),
    ]
    environment = os.environ | {
        "FILES": str(partial / "files"),
        "OUT": str(partial),
        "USERS": " ".join(f"{user}:{number}" for user, number in USERS.items()),
        "LC_ALL": "C.UTF-8",
    }
    with log.open("w") as out:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out, timeout=BUILD_LIMIT
        )
    if done.returncode != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-40:])
        raise CannotMakeHosts(f"mmdebstrap failed with {done.returncode}, see {log}:\n{tail}")


def make_disk(root: Path, disk: Path) -> None:
    """Put the tree `root` on an ext4 disk. It is thrown away after each run, so it needs no journal."""
    run(["truncate", "-s", DISK_SIZE, str(disk)])
    run(["mkfs.ext4", "-q", "-F", "-O", "^has_journal", "-E", "lazy_itable_init=1", "-d", str(root), str(disk)])


def run(command: list[str]) -> None:
    """Run a program of this machine; its output belongs to the error if it fails."""
    program = find_program(command[0])
    if program is None:
        raise CannotMakeHosts(f"{command[0]} is missing")
    done = subprocess.run(
        [program, *command[1:]], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=900
    )
    if done.returncode != 0:
        raise CannotMakeHosts(f"{' '.join(command)} failed: {done.stderr.strip()}")


def remove_tree(path: Path) -> None:
    """Remove a folder if it exists, never descending into another file system."""
    if path.exists():
        subprocess.run(["rm", "-rf", "--one-file-system", str(path)], check=True, timeout=300)
