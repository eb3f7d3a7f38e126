"""What `explain TOPIC` says: the rules that everything rests on, in the operator's words."""

from __future__ import annotations

TOPICS: dict[str, tuple[str, ...]] = {
    "retention": (
        "keep is the union of its rules: a snapshot stays as long as one of them keeps it.",
        "A number counts: last = 2 keeps the two newest, daily = 14 the newest of each of the 14 most recent days "
        'that have a snapshot. A duration is a window: within = "2d" keeps all of it, hourly = "7d" the newest of '
        "each hour in it.",
        "Windows reach back from the newest snapshot, not from the clock, so a machine that is off loses nothing. "
        "Days and weeks begin in the policy's timezone; weeks are ISO weeks.",
        "Kept besides, whatever the rules say: the newest snapshot, what is held or has clones, what was taken by "
        "hand and has not expired, what other tools took, and everything on a host whose listing is not complete.",
    ),
    "ownership": (
        "zfsctl destroys only snapshots that it owns: named <prefix>-<UTC> by the schedule or "
        "<prefix>-manual-<UTC> by hand, or matching an adopt pattern of the policy file.",
        "Snapshots of other tools are counted and shown, and left alone.",
    ),
    "guards": (
        "The mass-destroy guard withholds the destroys of a dataset when more than half of its snapshots, and more "
        "than 10, would go for good by rules that never pruned there before. It files a request: zfsctl approvals.",
        "After a long pause a window would let go of everything at once. Those destroys are withheld for a day and "
        "then go by themselves.",
        "Right before a destroy the guid, the holds, the clones and the resume token are read again.",
    ),
    "schedules": (
        "hourly, daily, weekly and monthly are the cron lines 0 * * * *, 0 0 * * *, 0 0 * * 1 and 0 0 1 * * in the "
        "policy's timezone; any other cron line may stand instead.",
        "A snapshot is due when an instant of the schedule lies after the newest scheduled snapshot and not after "
        "now. A timer that runs late, or often, therefore changes nothing.",
    ),
    "replication": (
        "A dataset and its copy are compared by the guids of their snapshots, never by names. The newest snapshot that "
        "both know is the base. What the receiver lacks is sent as an increment from there, or from the cursor, a "
        "bookmark that stands for the base on the sender once the snapshot itself is gone.",
        "The lag is the age of the oldest snapshot that is to be sent and was not received. HEALTHY within warn_after; "
        "WARNING within max_delay, while there is no copy yet, or when the next run repairs the chain; BROKEN beyond "
        "max_delay, without any copy after warn_after, or where a person must act first. REPAIRING while a repair is "
        "half done, AWAY while the receiver's pool is unplugged for no longer than the policy says, TAKEN-OVER while "
        "somebody uses the receiver, UNKNOWN where one end could not be looked at.",
        "A sender that takes no snapshots any more has no lag: that is told of the dataset itself.",
        "zfsctl explain NAME tells of each dataset of a replication how it stands and why, zfsctl history NAME since "
        "when.",
    ),
    "exit-codes": (
        "0 done, or nothing to do. 1 failed. 2 usage or configuration. 3 some parts failed. 4 the plan has changes "
        "(--detailed-exitcode). 5 refused by a guard, not confirmed, or stale. 6 looked and found something wrong.",
        "11 another run holds the lock. 12 a host could not be reached. 130 and 143 stopped cleanly by a signal. "
        "141 broken pipe.",
        "status --check is the monitoring contract instead: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.",
    ),
    "state": (
        "The state file is a journal and a cache, never the truth. Delete it and the next run does the right thing "
        "from ZFS alone; what is lost is history, approvals, and the knowledge which rules have pruned before, so "
        "that the mass-destroy guard may ask once more.",
    ),
}
