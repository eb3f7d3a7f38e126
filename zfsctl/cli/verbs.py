"""Every verb, its module and its one-line help, so that `--help` imports none of the modules."""

from __future__ import annotations

VERBS: dict[str, tuple[str, str]] = {
    "snapshot": ("zfsctl.cli.snapshot", "Take the snapshots that are due, or one by hand."),
    "prune": ("zfsctl.cli.prune", "Destroy the snapshots that no rule keeps."),
    "replicate": ("zfsctl.cli.replicate", "Send what receivers lack."),
    "run": ("zfsctl.cli.run", "Do all that is due; for timers."),
    "status": ("zfsctl.cli.status", "Show how hosts, pools, snapshots and replications stand."),
    "explain": ("zfsctl.cli.explain", "Say why snapshots stay or go, and how replications stand."),
    "apply": ("zfsctl.cli.apply", "Apply a plan that was saved with --out."),
    "approvals": ("zfsctl.cli.approvals", "List, approve or deny what waits for a person."),
    "doctor": ("zfsctl.cli.doctor", "Look for what is left over and what was set aside."),
    "history": ("zfsctl.cli.history", "Show the runs and what each of them did."),
    "config": ("zfsctl.cli.config", "Write, check or show the policy file."),
    "schema": ("zfsctl.cli.schema", "Print the JSON Schema of a kind of document."),
    "sandbox": ("zfsctl.cli.sandbox", "Make, show or advance simulated hosts."),
    "demo": ("zfsctl.cli.demo", "Show the main job on simulated hosts."),
}
