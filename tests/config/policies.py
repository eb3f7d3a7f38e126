"""Policies that several tests load."""

from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples" / "policies"

FULL = """
timezone = "Europe/Berlin"
prefix = "keeper"
read_only = true
[ssh]
user = "zfsadmin"
timeout = "30s"
known_hosts = "~/known"
sudo = true
[hosts]
alpha = "alpha.lan"
vault = { hostname = "10.0.0.9", port = 2222, sudo = false, transport = "openssh", timeout = "2m" }
six = { hostname = "fe80::1%eth0", user = "root", proxy_jump = "me@gate.lan:22", identity_file = "/k" }
[policies.critical]
snapshot = "0 */6 * * *"
keep = { last = 2, hourly = "7d", daily = 14, weekly = 8, monthly = 12, yearly = 2, within = "2d" }
skip_empty = true
[policies.pruned-only]
keep = { last = 1 }
[[datasets]]
select = ["tank/photos", "*:rpool/vm", "local:po:ol"]
exclude = ["**/tmp", "alpha:rpool/vm/*"]
policy = "critical"
adopt = ["autosnap_*"]
[[datasets]]
select = ["alpha:tank"]
policy = "none"
[[hooks]]
name = "freeze-db"
select = ["alpha:rpool/vm/db"]
before = ["/usr/local/bin/freeze", "--all ' of it", ""]
after = ["thaw"]
timeout = "5m"
"""

REPLICATED = """
[hosts]
node01 = "n1.lan"
node02 = "n2.lan"
vault = "vault.lan"
[[replications]]
name = "nodes-to-vault"
sender = "node*:rpool/vm"
receiver = "vault:bk/{host}/vm"
route = "relay"
warn_after = "90m"
max_delay = "2d"
repair = "auto"
keep = { daily = 30, monthly = "1w" }
raw = "never"
initial = "newest"
snapshots = "all"
bandwidth = "1536KiB"
parallel = 3
pending_limit = "60d"
away = "45d"
properties = ["compression", "com.example:owner"]
compress = true
[[replications]]
name = "usb"
sender = "local:tank/photos"
receiver = "usb/photos"
"""
