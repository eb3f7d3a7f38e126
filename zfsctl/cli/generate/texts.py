"""What the manual pages say beside what the command tree says by itself."""

from __future__ import annotations

EXIT_STATUS: tuple[tuple[int, str], ...] = (
    (0, "Done, or nothing to do."),
    (1, "Failed."),
    (2, "The command line or the policy file is wrong."),
    (3, "Some hosts or datasets failed, others did not."),
    (4, "With --detailed-exitcode and --dry-run: the plan would change something."),
    (5, "Refused by a guard, not confirmed, or stale."),
    (6, "Looked, and found something wrong."),
    (11, "Another run holds what this one needs."),
    (12, "A host cannot be reached, does not let us in, or is not the one we know."),
    (130, "Stopped cleanly by Ctrl-C."),
    (141, "The reader of the output went away."),
    (143, "Stopped cleanly by SIGTERM or SIGHUP."),
)
CHECK_STATUS: tuple[tuple[int, str], ...] = (
    (0, "With --check: OK."),
    (1, "With --check: WARNING."),
    (2, "With --check: CRITICAL."),
    (3, "With --check: UNKNOWN, and every error."),
)
FILES: tuple[tuple[str, str], ...] = (
    ("/etc/zfsctl/zfsctl.toml", "The policy, see zfsctl.toml(5)."),
    ("/etc/zfsctl/conf.d/*.toml", "More of it; tables add up."),
    (
        "/var/lib/zfsctl/state.db",
        "The journal, for root; else ~/.local/state/zfsctl/state.db. Without it only history and answers are lost.",
    ),
    ("/run/zfsctl", "Locks, for root; else beside the state file."),
    ("/var/cache/zfsctl/names", "Names for completion, for root; else ~/.cache/zfsctl/names."),
)
ENVIRONMENT: tuple[tuple[str, str], ...] = (
    ("ZFSCTL_CONFIG", "The policy file, unless --config names one."),
    ("ZFSCTL_STATE_DIR", "The folder of the state file."),
    ("ZFSCTL_RUNTIME_DIR", "The folder of the locks."),
    ("ZFSCTL_CACHE_DIR", "The folder of the cache."),
    ("NO_COLOR", "If it holds anything, no colours are printed."),
)
"""The environment sets output and paths, never hosts or retention."""

DESCRIPTION = (
    "zfsctl takes, prunes and replicates snapshots, on one machine or a fleet, from one policy file, and says why it "
    "did each thing. A remote host needs zfs, zpool and sshd, nothing else.",
    "Commands act; --dry-run shows the very plan that a run applies, with a reason on every line. A plan can be saved "
    "with --out and applied later with zfsctl apply: every guid, hold and clone is checked again right before a "
    "destroy.",
    "What cannot be proved to be allowed is not destroyed: snapshots of others, held ones, those with clones, the "
    "newest one, and anything on a host whose listing is not complete. A prune that would take more than half of a "
    "dataset's snapshots waits for a person: zfsctl approvals.",
    "A selection is [HOST:]DATASET and means that dataset alone; --recursive adds all below it. In both parts * stands "
    "for anything within one name component and ** crosses slashes, as in the policy file. stdout is data, "
    "stderr is talk. On a terminal the data is laid out for people; in a pipe it is lines of cells parted by tabs, "
    "with - for an empty cell. With --json stdout holds exactly one document, on errors too; zfsctl schema describes "
    "them.",
)
CONFIRMATION = (
    "Reading and taking snapshots never ask. A manual prune asks on a terminal, or takes --yes. Letting go of a copy "
    "that was set aside takes the name of its dataset, typed or by --confirm; --yes is not enough. With --no-input or "
    "without a terminal nothing is ever asked: what needs an answer is refused with exit status 5."
)

EXAMPLES: dict[tuple[str, ...], tuple[tuple[str, str], ...]] = {
    (): (
        (
            "Write a first policy, look at what it would do, and do it:",
            "zfsctl config init\nzfsctl run --dry-run\nzfsctl run",
        ),
        ("Ask why a snapshot is still there:", "zfsctl explain tank/data@zfsctl-20261101T000000Z"),
        ("Look around on simulated hosts, nothing is touched:", "zfsctl demo"),
    ),
    ("snapshot",): (
        ("What the policy says is due:", "zfsctl snapshot"),
        (
            "One by hand before an upgrade, for thirty days, of a dataset and all below it:",
            "zfsctl snapshot -r rpool/ROOT --reason 'before the upgrade' --expires 30d",
        ),
    ),
    ("prune",): (
        ("See what would go, then let it go:", "zfsctl prune --dry-run\nzfsctl prune --yes"),
        ("One dataset of another host:", "zfsctl prune alpha:tank/db"),
    ),
    ("replicate",): (
        ("See what would be sent, then send it:", "zfsctl replicate --dry-run\nzfsctl replicate"),
        ("One replication of the policy:", "zfsctl replicate nodes-to-vault"),
    ),
    ("run",): (
        ("From a timer, often:", "zfsctl run --only snapshot,prune"),
        ("Fail a pipeline when something is due:", "zfsctl run --dry-run --detailed-exitcode"),
    ),
    ("status",): (
        ("At a glance:", "zfsctl status"),
        ("For Nagios, Icinga or Checkmk:", "zfsctl status --check"),
        ("In a prompt, asking no host:", "zfsctl status --cached"),
    ),
    ("explain",): (
        (
            "A snapshot, a dataset, a policy:",
            "zfsctl explain tank/db@zfsctl-20261101T000000Z\nzfsctl explain alpha:tank/db\n"
            "zfsctl explain critical --days 365",
        ),
        ("Why a replication is not healthy, and what comes next:", "zfsctl explain nodes-to-vault"),
    ),
    ("apply",): (
        (
            "Plan in the evening, apply in the night:",
            "zfsctl run --out night.json --valid 12h\nzfsctl apply night.json",
        ),
    ),
    ("approvals",): (
        ("See what waits, and let it happen:", "zfsctl approvals -v\nzfsctl approvals approve 1f2e\nzfsctl run"),
    ),
    ("doctor",): (
        ("Look for what is left over:", "zfsctl doctor"),
        (
            "See what letting go of a copy would destroy, then let it go:",
            "zfsctl doctor --release beta:bk/db.zfsctl-aside-20261118T150640Z --dry-run\n"
            "zfsctl doctor --release beta:bk/db.zfsctl-aside-20261118T150640Z",
        ),
    ),
    ("history",): (
        ("The last runs, and one of them in full:", "zfsctl history\nzfsctl history 20261120T143000Z"),
        ("Since when a replication is broken:", "zfsctl history nodes-to-vault"),
    ),
    ("config",): (
        (
            "Write a policy for the pools of this machine, then check it on every host:",
            "zfsctl config init\nzfsctl config check",
        ),
    ),
    ("schema",): (("The shape of a plan:", "zfsctl schema plan"),),
    ("sandbox",): (
        (
            "A pair of simulated hosts, two days later:",
            "zfsctl sandbox init try\nzfsctl run --sandbox try\n"
            "zfsctl sandbox advance 2d try\nzfsctl run --sandbox try",
        ),
    ),
    ("demo",): (("The main job in a minute:", "zfsctl demo"),),
}
"""By command: what one wants, and what to type for it."""
