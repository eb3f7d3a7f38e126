"""What an image of the testbed holds. Everything that decides its content stands here, and its hash names the image."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Final

HOSTS: Final = {"alpha": "10.77.0.1", "beta": "10.77.0.2"}
"""Host name to its address on the network that only the two share."""

USERS: Final = {"zfsadmin": 2001, "zfssudo": 2002}
"""zfsadmin has no rights until a test grants them with `zfs allow`; zfssudo may run zfs and zpool by `sudo -n`."""

DATA_DISKS: Final = 4
DEFAULT_SERIES: Final = "2.3"


@dataclass(frozen=True, slots=True)
class Recipe:
    """One image: an OpenZFS series and the Debian suite that carries it."""

    series: str  # what `zfs version` starts with after "zfs-"
    suite: str
    zfs_suite: str  # where the zfs packages come from, when not from `suite`

    @property
    def suites(self) -> tuple[str, ...]:
        """The suites that apt reads while the image is built."""
        return (self.suite,) if self.zfs_suite == self.suite else (self.suite, self.zfs_suite)

    @property
    def key(self) -> str:
        """The name of the image's folder: the series and a hash of everything that goes into it."""
        content = [asdict(self), PACKAGES, GUEST_FILES, MODES, FINISH, HOSTS, USERS, DISK_SIZE]
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        return f"{self.series}-{digest[:16]}"


RECIPES: Final = {
    "2.1": Recipe("2.1", "bookworm", "bookworm"),
    "2.3": Recipe("2.3", "trixie", "trixie"),
    "2.4": Recipe("2.4", "trixie", "trixie-backports"),
}

DISK_SIZE: Final = "8G"

PACKAGES: Final = (
    "linux-image-cloud-amd64",
    "linux-headers-cloud-amd64",
    "zstd",
    "mount",
    "udev",
    "kmod",
    "iproute2",
    "procps",
    "openssh-server",
    "openssh-client",
    "sudo",
    "python3",
    "rsync",
    "mbuffer",
    "zfs-dkms",
    "zfsutils-linux",
)

INIT: Final = r"""#!/bin/sh
# The first process of a host. It starts what OpenZFS and sshd need and nothing else: an emulated processor
# takes a minute for the services of a whole system.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs -o mode=755 devtmpfs /dev
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /dev/pts /dev/shm /run/sshd /run/lock /run/sudo
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
for word in $(cat /proc/cmdline); do
    case $word in testbed.host=*) name=${word#*=} ;; esac
done
hostname "$name"
# Before the module is there, so that the rules for /dev/zfs, volumes and disks are followed from the start.
/lib/systemd/systemd-udevd --daemon
modprobe zfs &
modprobe -a virtio_pci virtio_net virtio_blk loop
ip link set lo up
for card in /sys/class/net/*; do
    case $(cat "$card/address") in
    52:54:00:77:00:*) address=10.0.2.15 ;;
    52:54:00:77:01:*) address=$(getent hosts "$name" | cut -d' ' -f1) ;;
    *) continue ;;
    esac
    sysctl -qw "net.ipv6.conf.${card##*/}.disable_ipv6=1"
    ip address add "$address/24" dev "${card##*/}"
    ip link set "${card##*/}" up
done
/usr/sbin/sshd -h "/etc/testbed/$name/ssh_host_ed25519_key"
echo "testbed: $name listens" >/dev/console
# A shell that waits for a child reaps every orphan as well.
while :; do sleep 3600; done
"""

GUEST_FILES: Final = {
    "usr/local/sbin/testbed-init": INIT,
    "etc/hosts": "127.0.0.1 localhost\n" + "".join(f"{address} {name}\n" for name, address in HOSTS.items()),
    "etc/fstab": "/dev/nvme0n1 / ext4 noatime 0 0\n",
    "etc/modprobe.d/zfs.conf": "options zfs zfs_arc_max=402653184\n",
    "etc/ssh/sshd_config.d/testbed.conf": (
        "MaxStartups 100\n"
        "MaxSessions 100\n"
        "UseDNS no\n"
        "PasswordAuthentication no\n"
        "PermitRootLogin prohibit-password\n"
        # Emulated processors take seconds for the post-quantum exchanges that would be chosen otherwise.
        "KexAlgorithms curve25519-sha256,curve25519-sha256@libssh.org\n"
    ),
    "etc/sudoers.d/zfssudo": "zfssudo ALL=(root) NOPASSWD: /usr/sbin/zfs, /usr/sbin/zpool\n",
    # No initrd is booted: disks and file system are part of the kernel. This keeps the one that is made anyway small.
    "etc/initramfs-tools/conf.d/testbed": "MODULES=list\n",
}
"""Path below / to text. See `MODES` for what is not 0644."""

MODES: Final = {"etc/sudoers.d/zfssudo": 0o440, "usr/local/sbin/testbed-init": 0o755}

FINISH: Final = r"""#!/bin/sh
# Runs outside the new system, which is $1. $FILES is the tree of guest files and keys.
set -eu
root=$1
cp -r --preserve=mode,timestamps "$FILES"/. "$root"/
chown -R 0:0 "$root/etc/testbed" "$root/etc/ssh" "$root/etc/sudoers.d" "$root/usr/local/sbin"
rm -f "$root"/etc/ssh/ssh_host_* "$root"/etc/hostname "$root"/etc/apt/apt.conf.d/99mmdebstrap

enrol() {  # user home
    mkdir -p "$root$2/.ssh"
    cp "$FILES/etc/testbed/client_ed25519" "$root$2/.ssh/id_ed25519"
    cp "$FILES/etc/testbed/client_ed25519.pub" "$root$2/.ssh/authorized_keys"
    chmod 700 "$root$2/.ssh"
    chmod 600 "$root$2"/.ssh/*
    chroot "$root" chown -R "$1:" "$2/.ssh"
}
enrol root /root
for entry in $USERS; do
    user=${entry%%:*}
    chroot "$root" useradd --create-home --shell /bin/bash --uid "${entry##*:}" "$user"
    chroot "$root" usermod -p '*' "$user"
    enrol "$user" "/home/$user"
done

mkdir -p "$root/var/testbed"

# The module stays as dkms made it, only unpacked: an emulated processor would unpack it at every boot.
kernel=$(basename "$root"/lib/modules/*)
find "$root/lib/modules/$kernel/updates/dkms" -name '*.ko.xz' -exec xz -d {} +
test -e "$root/lib/modules/$kernel/updates/dkms/zfs.ko" || {
    tail -n 60 "$root"/var/lib/dkms/zfs/*/build/make.log "$root"/var/lib/dkms/zfs/*/*/*/log/make.log
    echo "dkms made no zfs module" >&2
    exit 1
}
chroot "$root" depmod "$kernel"
cp "$root/boot/vmlinuz-$kernel" "$OUT/vmlinuz"
chroot "$root" dpkg-query -W > "$OUT/packages.txt"
chroot "$root" dpkg-query -W -f '${Version}' zfsutils-linux > "$OUT/zfs-version"
rm -rf "$root"/boot/initrd.img* "$root"/usr/src "$root"/usr/lib/gcc "$root"/var/cache/apt "$root"/var/lib/apt/lists \
    "$root"/var/lib/dkms "$root"/usr/share/doc "$root"/usr/share/locale "$root"/usr/libexec/gcc
mkdir -p "$root/var/cache/apt/archives/partial" "$root/var/lib/apt/lists/partial"
"""
