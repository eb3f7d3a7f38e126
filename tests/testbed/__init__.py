"""Real OpenZFS hosts for the tests, on a machine that has no ZFS itself.

What it gives
    Two virtual machines, `alpha` and `beta`, each with OpenZFS, four empty disks, sshd, and a network card that
    reaches the other. Tests that need them carry `@pytest.mark.zfs` and take the fixtures of `fixtures.py`; people
    take `make testbed-shell HOST=alpha`.

How it works
    recipe.py    what an image holds: Debian suite, packages, users, guest files; the hash of all that names it
    machine.py   what this machine must have (root, apt, qemu, mmdebstrap …), and installs what is missing
    image.py     builds a disk and takes its kernel, with mmdebstrap (OpenZFS is compiled by dkms in the chroot, at
                 native speed) and keeps them in ~/.cache/zfsctl-testbed/<series>-<hash>; from nothing when absent
    qemu.py      starts and ends one virtual machine: software emulation, nothing of KVM is needed
    host.py      one host as tests see it: address, keys, `ssh()`, restart
    pair.py      a run: a folder of its own, both hosts booted side by side, ended with the run
    pools.py     fresh small pools on either host
    fixtures.py  the pytest plug-in, with the rule that a CI run skips nothing
    capture.py   writes tests/zfs/captured/<version>/*.txt, the output that the parsers are tested on

Isolation
    Each run has a folder of its own below the temporary folder and free ports on 127.0.0.1, so two runs never meet.
    The hosts cannot reach anything but each other. Every virtual machine dies with the process that started it
    (PR_SET_PDEATHSIG), is ended by its own pid file and nothing else, and every wait has a limit. A folder whose lock
    nobody holds any more is removed by the next run.

Reuse
    `python -m tests.testbed up` boots a pair and leaves it; later pytest runs of the same user take it after a health
    check (`ZFSCTL_TESTBED_REUSE=0` refuses it, `=1` boots one and leaves it when there is none), until
    `python -m tests.testbed down`. Runs under `ZFSCTL_CI=1` always boot their own.

Versions
    ZFSCTL_TESTBED_OPENZFS or pytest's --openzfs: 2.3 (the default), 2.1, 2.4.

The package mirror is the one that this machine's own apt uses, together with its proxy and certificate settings.
ZFSCTL_TESTBED_ACCEL=kvm takes KVM instead of emulation, for machines where it is known to work.
"""
