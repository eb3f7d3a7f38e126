"""zfsctl.toml(5): every key of the policy file."""

from __future__ import annotations

from zfsctl.cli.generate.troff import examples, header, items, paragraphs, references, section

KEYS: dict[str, tuple[tuple[str, str], ...]] = {
    "": (
        ("timezone", 'Where a day begins, a name of the tz database; "UTC" by default. Snapshot names stay in UTC.'),
        ("prefix", 'What the names of our snapshots begin with; "zfsctl" by default.'),
        ("read_only", "If true, every command behaves as with --dry-run."),
        ("ssh", "How to log in to every host; a table, see below."),
        ("hosts", 'Other machines: name = "address", or a table, see below. "local" always exists.'),
        ("policies", "What is taken and kept; one table for each name, see below."),
        ("datasets", "Which datasets follow which policy; an array of tables, see below."),
        ("hooks", "Commands around snapshots; an array of tables, see below."),
        ("replications", "What is copied where; an array of tables, see below and REPLICATION."),
    ),
    "ssh": (
        ("user", "The name to log in with."),
        ("port", "The port of sshd."),
        ("identity_file", "The private key."),
        ("known_hosts", "The file of known host keys. An unknown or changed key is always refused."),
        ("proxy_jump", "A host to go through, [USER@]HOST[:PORT]."),
        ("timeout", "Longest wait for a connection and for the answer to one short question; a duration."),
        ("sudo", "If true, zfs and zpool are run by sudo -n. Rights given by zfs allow need no sudo."),
        ("transport", '"fabric", or "openssh" where the ssh configuration has Include, FIDO keys or certificates.'),
    ),
    "hosts.NAME": (("hostname", "The address to dial. Every key of [ssh] may stand here too."),),
    "policies.NAME": (
        (
            "snapshot",
            'When: "hourly", "daily", "weekly", "monthly", or a cron line in quotes. Absent: taken by hand or by '
            "another tool.",
        ),
        ("keep", "What is kept, a table of rules, see RETENTION. At least one."),
        ("skip_empty", "If true, no snapshot is taken when nothing was written since the last one of ours."),
    ),
    "policies.NAME.keep": (
        ("last", "A number: the newest so many."),
        ("within", "A duration: all of that window back from the newest."),
        ("hourly", "A number: the newest of each of the latest so many hours that hold one; or a duration."),
        ("daily", "The same for days."),
        ("weekly", "The same for ISO weeks."),
        ("monthly", "The same for months."),
        ("yearly", "The same for years."),
    ),
    "datasets": (
        ("select", "[HOST:]DATASET patterns; each means that dataset and all below it."),
        ("policy", 'The name of a policy; "none" opts out.'),
        ("exclude", "Patterns to leave out; without a host on every host."),
        ("adopt", "Patterns of the names of others' snapshots that these rules may destroy."),
    ),
    "hooks": (
        ("name", "For plans and messages."),
        ("select", "The datasets whose snapshots it surrounds."),
        (
            "before",
            "A command and its arguments, run on the host before its snapshots; if it fails they are not taken.",
        ),
        ("after", "A command and its arguments, always run afterwards."),
        ("timeout", "How long each may take; a duration, 60s by default."),
    ),
    "replications": (
        ("name", "Small letters, digits and -, at most 32. Part of bookmark names and hold tags: do not change it."),
        ("sender", "[HOST:]DATASET, and all below it. The host may be a pattern, the dataset may not."),
        (
            "receiver",
            "[HOST:]DATASET, where it arrives; not the root of a pool. {host} stands for the sender's host and is "
            "required where the sender's pattern matches several.",
        ),
        (
            "route",
            '"relay" goes through this machine, by "push" the sender dials the receiver, by "pull" the receiver dials '
            'the sender, "local" stays on one host. Absent: relay, and local where sender and receiver are one host.',
        ),
        ("warn_after", "The lag beyond which it is a warning, see zfsctl-status(8); a duration, 24h by default."),
        ("max_delay", "The lag beyond which it is broken; a duration, 72h by default, not shorter than warn_after."),
        (
            "repair",
            'What a run may do about a broken chain: "never", "ask" (the default: it waits for an approval), "auto".',
        ),
        (
            "keep",
            "What the receiver keeps, a table of rules as in a policy. Absent: as the sender's policy says, and "
            'everything where a rule says "none" about the receiver.',
        ),
        (
            "raw",
            'How the first copy of a dataset is sent: "auto" (the default: raw when the sender is encrypted), "never", '
            '"always". Afterwards its chain stays what it is.',
        ),
        ("initial", 'What the first copy takes: "all" snapshots (the default), or the "newest".'),
        (
            "snapshots",
            '"owned" (the default) sends our own and adopted snapshots; "all" sends others\' too, which no rule then '
            "removes from the receiver.",
        ),
        ("bandwidth", "Most bytes a second of one transfer; a size. Only the relay can keep to it. Absent: no limit."),
        ("parallel", "Datasets in transfer at a time, 1 to 64; 2 by default."),
        (
            "pending_limit",
            "How long a snapshot that was not received yet is kept on the sender; a duration longer than max_delay and "
            "away. Absent: 14d, or a week longer than these.",
        ),
        ("away", "How long the receiver's pool may be unplugged without an alarm; a duration. Absent: not at all."),
        (
            "properties",
            "Names of properties that the receiver gets from the sender. Never canmount, mountpoint, readonly or "
            "encryption.",
        ),
        ("compress", "If true, plain streams are compressed by zstd on their way."),
    ),
}
"""By table, every key and what it means."""

_DESCRIPTION = (
    "The policy is read from /etc/zfsctl/zfsctl.toml, from the file in ZFSCTL_CONFIG, or from --config, and then from "
    "conf.d/*.toml beside it. Arrays of tables add up; a table or key that is defined twice is refused, naming both "
    "files. An unknown key or name, a rule that keeps nothing or a bad cron line is refused and nothing runs.",
    "A duration is an integer and one of s m h d w; m is minutes. A size is an integer and one of K M G T or KiB MiB "
    "GiB TiB, powers of 1024. In a pattern, * stays inside one name component and ** crosses slashes. A dataset "
    "follows exactly one rule: the longest literal prefix wins, a tie is refused.",
)
_RETENTION = (
    "What is kept is the union of the rules. A number counts. A duration is a window measured back from the newest "
    "snapshot and not from the clock, so a machine that was off loses nothing while it was. Days, weeks, months and "
    "years are those of timezone.",
    "Kept besides: snapshots that are not ours, taken by hand and not expired, the newest one, held ones, those with "
    "clones, and anything on a host whose listing is not complete.",
)
_REPLICATION = (
    "What one replication receives no other may touch: receivers do not overlap, lie outside their sender's tree, and "
    "no policy takes snapshots there. A receiver is pruned by the keep or by a policy without snapshot, not by both. A "
    "dataset that is received on one host and sent on to the next needs a keep, or "
    "a policy without snapshot where it is received. All this is refused before any host is asked.",
    "A remote host is never made to dial this machine: to or from this machine the route is relay, or the one in which "
    "this machine dials.",
)
_EXAMPLE = """\
timezone = "Europe/Berlin"

[hosts]
alpha = "alpha.lan"

[policies.critical]
snapshot = "hourly"
keep = { last = 2, hourly = 48, daily = 14, weekly = 8, monthly = 12 }
skip_empty = true

[[datasets]]
select = ["tank/photos", "alpha:rpool/vm"]
exclude = ["**/tmp"]
policy = "critical\""""
_PAIR = """\
[hosts]
alpha = "alpha.lan"
vault = { hostname = "10.0.0.9", port = 2222 }

[[replications]]
name = "vm-to-vault"
sender = "alpha:tank/vm"
receiver = "vault:bk/alpha/vm"
keep = { daily = 30, monthly = 24 }
bandwidth = "50MiB\""""
_ARRAYS = ("datasets", "hooks", "replications")


def policy_page() -> str:
    """The text of man/zfsctl.toml.5."""
    lines = [
        *header("zfsctl.toml", 5),
        *section("NAME"),
        "zfsctl.toml \\- the policy of zfsctl",
        *section("DESCRIPTION"),
        *paragraphs(_DESCRIPTION),
    ]
    for table, keys in KEYS.items():
        title = "TOP LEVEL" if not table else f"[[{table}]]" if table in _ARRAYS else f"[{table}]"
        lines += [*section(f'"{title}"'), *items(keys)]
    lines += [
        *section("RETENTION"),
        *paragraphs(_RETENTION),
        *section("REPLICATION"),
        *paragraphs(_REPLICATION),
        *section("FILES"),
        *items([("/etc/zfsctl/zfsctl.toml", "The policy."), ("/etc/zfsctl/conf.d/*.toml", "More of it.")]),
        *section("ENVIRONMENT"),
        *items([("ZFSCTL_CONFIG", "The policy file, unless --config names one.")]),
        *section("EXAMPLES"),
        *examples([("Two machines, one policy:", _EXAMPLE), ("From one host to another:", _PAIR)]),
        *references([("zfsctl", 8), ("zfsctl-config", 8)]),
    ]
    return "\n".join(lines) + "\n"
