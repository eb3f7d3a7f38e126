"""`python -m tests.testbed`: real OpenZFS hosts for people and for long sessions of work."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from tests.testbed.host import HostError
from tests.testbed.image import ensure_image
from tests.testbed.machine import CannotMakeHosts
from tests.testbed.pair import Pair, address_file, boot_pair, find_pair, recipe_for, stable_folder, take_down
from tests.testbed.recipe import DEFAULT_SERIES, HOSTS, RECIPES, USERS


def say(text: str) -> None:
    print(f"testbed: {text}", file=sys.stderr, flush=True)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m tests.testbed", description=__doc__)
    top.add_argument(
        "--openzfs",
        choices=sorted(RECIPES),
        default=os.environ.get("ZFSCTL_TESTBED_OPENZFS", DEFAULT_SERIES),
        help="the OpenZFS series (default: %(default)s)",
    )
    verbs = top.add_subparsers(dest="verb", required=True)
    verbs.add_parser("build", help="build the image if it is absent")
    verbs.add_parser("up", help="boot alpha and beta and leave them running for later test runs")
    verbs.add_parser("down", help="end what `up` left running")
    shell = verbs.add_parser("shell", help="a shell on a host, booting a pair for it if none is up")
    shell.add_argument("host", choices=sorted(HOSTS), nargs="?", default="alpha")
    shell.add_argument("--user", choices=["root", *USERS], default="root")
    capture = verbs.add_parser("capture", help="write the output that the parsers are tested on")
    capture.add_argument("--into", type=Path, default=Path(__file__).parent.parent / "zfs" / "captured")
    return top


def up(series: str) -> None:
    """Leave a healthy pair running and tell how to reach it."""
    pair = find_pair(series, say)
    if pair is None:
        take_down(series)
        pair = boot_pair(series, say, keep=True)
    config = stable_folder(pair.image.recipe) / "ssh_config"
    print(f"OpenZFS {pair.alpha.zfs_version}, described in {address_file(pair.image.recipe)}")
    for name, host in pair.hosts.items():
        print(f"{name}\t127.0.0.1:{host.port}\tssh -F {config} {name}")


def shell(series: str, name: str, user: str) -> int:
    """Hand the terminal to ssh, and end the hosts afterwards if they were booted for it."""
    running = find_pair(series, say)
    pair: Pair = running or boot_pair(series, say)
    try:
        return subprocess.call(pair.hosts[name].ssh_argv(user))
    finally:
        if running is None:
            pair.end()


def main(words: list[str] | None = None) -> int:
    """Run one verb; the exit code is 1 when hosts cannot be made."""
    given = parser().parse_args(words)
    series: str = given.openzfs
    try:
        match given.verb:
            case "build":
                print(ensure_image(recipe_for(series), say).folder)
            case "up":
                up(series)
            case "down":
                say("ended" if take_down(series) else "nothing was up")
            case "shell":
                return shell(series, given.host, given.user)
            case "capture":
                from tests.testbed.capture import capture_all

                # The scenes leave a host of no use to others, so a pair that is up is not taken for them.
                pair = boot_pair(series, say, names=["alpha"])
                try:
                    capture_all(pair.alpha, given.into / series, say)
                finally:
                    pair.end()
    except (CannotMakeHosts, HostError) as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
