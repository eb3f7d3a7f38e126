"""Getting in: wrong keys, hosts that are down, accounts with few rights, and the other transport."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.real.operators import Operator
from tests.real.zfs import do, guids, scheduled, snapshots, take
from tests.testbed.host import Host
from tests.testbed.pools import Pool
from tests.testbed.qemu import free_port

pytestmark = pytest.mark.zfs

NAMES = [scheduled(day) for day in range(1, 5)]


def stranger(folder: Path) -> str:
    """A private key that no host knows."""
    key = folder / "stranger"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    return str(key)


def test_a_host_that_does_not_let_us_in_stops_no_other(
    operator: Operator, alpha_pool: Pool, beta: Host, tmp_path: Path
) -> None:
    do(alpha_pool.host, *take([alpha_pool.name], NAMES))
    good = operator.settings["beta"]
    unknown = tmp_path / "known_hosts"
    unknown.write_text("")
    forged = tmp_path / "forged"
    key_of_alpha = next(line for line in beta.known_hosts.read_text().splitlines() if "alpha" in line)
    forged.write_text(f"[127.0.0.1]:{beta.port} {key_of_alpha.split(maxsplit=1)[1]}\n")
    operator.settings |= {
        "down": good | {"port": free_port()},
        "unknown": good | {"known_hosts": str(unknown)},
        "forged": good | {"known_hosts": str(forged)},
        "refused": good | {"identity_file": stranger(tmp_path)},
        "nobody": good | {"user": "nobody"},
    }
    outside = ("down", "unknown", "forged", "refused", "nobody")
    operator.writes_rules(f"alpha:{alpha_pool}", *(f"{name}:tank" for name in outside))

    run = operator.zfsctl("run")
    alone = [operator.zfsctl("run", "--host", name).code for name in ("down", "forged", "refused")]
    status = operator.zfsctl("status")

    codes = {host: code for code, host, _ in run.findings}
    assert codes == {
        "down": "unreachable",
        "unknown": "host-key",
        "forged": "host-key",
        "refused": "authentication",
        "nobody": "authentication",
    }
    assert (run.code, run.results) == (3, ["done"])
    assert snapshots(alpha_pool) == {alpha_pool.name: NAMES[2:]}
    assert alone == [12] * 3
    assert {one["host"]: one["health"] for one in status.data["hosts"]} == {"alpha": "ok"} | dict.fromkeys(
        outside, "unknown"
    )
    assert not unknown.read_text()
    assert "identity" not in run.stdout + run.stderr + status.stdout
    assert str(tmp_path / "stranger") not in run.stdout + run.stderr + status.stdout


def test_an_account_needs_four_rights_and_says_so_without_them(operator: Operator, alpha_pool: Pool) -> None:
    dataset = f"{alpha_pool}/a"
    do(alpha_pool.host, f"zfs create -p -o canmount=off {dataset}/b", *take([dataset], NAMES))
    operator.settings["alpha"]["user"] = "zfsadmin"
    operator.writes_rules(f"alpha:{dataset}", snapshot="* * * * *")
    before = guids(alpha_pool)

    helpless = operator.zfsctl("run", "--only", "prune")
    powerless = operator.zfsctl("snapshot", f"alpha:{dataset}", "-r", "--reason", "why")

    assert (helpless.code, powerless.code) == (3, 1)
    for answer in (helpless, powerless):
        (error,) = answer.data["errors"]
        assert "permission denied" in error["why"]
    assert guids(alpha_pool) == before

    do(alpha_pool.host, f"zfs allow -u zfsadmin snapshot,userprop {dataset}")
    taken = operator.zfsctl("snapshot", f"alpha:{dataset}", "-r", "--reason", "why", "--expires", "1d")
    still = operator.zfsctl("prune", "--yes")
    do(alpha_pool.host, f"zfs allow -u zfsadmin destroy,mount {dataset}")
    pruned = operator.zfsctl("prune", "--yes")

    assert (taken.code, taken.results) == (0, ["done"])
    assert (still.code, len(still.members("failed"))) == (3, 2)
    assert (pruned.code, pruned.results) == (0, ["done"])
    manual = taken.data["steps"][0]["snapshot"]
    assert snapshots(alpha_pool) == {dataset: [*NAMES[2:], manual], f"{dataset}/b": [manual]}


def test_sudo_and_openssh_do_the_same(operator: Operator, alpha_pool: Pool) -> None:
    do(alpha_pool.host, *take([alpha_pool.name], NAMES))
    operator.settings["alpha"] |= {"user": "zfssudo", "sudo": True, "transport": "openssh"}
    operator.writes_rules(f"alpha:{alpha_pool}", keep="last = 3")
    by_openssh = operator.zfsctl("run")
    operator.settings["alpha"] |= {"transport": "fabric"}
    operator.writes_rules(f"alpha:{alpha_pool}", keep="last = 2")
    by_fabric = operator.zfsctl("run")

    assert (by_openssh.code, by_openssh.members("done")) == (0, [f"{alpha_pool}@{NAMES[0]}"])
    assert (by_fabric.code, by_fabric.members("done")) == (0, [f"{alpha_pool}@{NAMES[1]}"])

    operator.settings["alpha"] |= {"user": "zfsadmin"}
    operator.writes_rules(f"alpha:{alpha_pool}", keep="last = 1")
    asked_for_a_password = operator.zfsctl("run")

    assert asked_for_a_password.code != 0
    assert asked_for_a_password.findings[0][:2] == ("incomplete", "alpha")
    assert "sudo" in asked_for_a_password.data["findings"][0]["message"]
    assert snapshots(alpha_pool) == {alpha_pool.name: NAMES[2:]}
