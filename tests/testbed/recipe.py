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
        content = [asdict(self), PACKAGES, GUEST_FILES, FINISH, HOSTS, USERS, DISK_SIZE]
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
    "initramfs-tools",
    "zstd",
    "systemd-sysv",
    "udev",
    "kmod",
    "iproute2",
    "openssh-server",
    "openssh-client",
    "sudo",
    "python3",
    "rsync",
    "mbuffer",
    "zfs-dkms",
    "zfsutils-linux",
)

GUEST_FILES: Final = {
    "etc/hosts": "127.0.0.1 localhost\n" + "".join(f"{address} {name}\n" for name, address in HOSTS.items()),
    "etc/fstab": "/dev/vda / ext4 noatime 0 0\n",
    "etc/machine-id": "7a667363746c7465737462656400000a\n",
    "etc/modules-load.d/zfs.conf": "zfs\n",
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
    # Both hosts boot the same disk; each has a host key of its own, found by the name the kernel was given.
    "etc/systemd/system/ssh.service.d/testbed.conf": (
        "[Service]\nExecStartPre=\nExecStart=\nExecStart=/usr/sbin/sshd -D -h /etc/testbed/%H/ssh_host_ed25519_key\n"
    ),
    "etc/systemd/network/10-reach.network": (
        "[Match]\nMACAddress=52:54:00:77:00:01 52:54:00:77:00:02\n"
        "[Network]\nAddress=10.0.2.15/24\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n"
    ),
    **{
        f"etc/systemd/network/20-pair-{name}.network": (
            f"[Match]\nMACAddress=52:54:00:77:01:{address.rpartition('.')[2]:0>2}\n"
            f"[Network]\nAddress={address}/24\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n"
        )
        for name, address in HOSTS.items()
    },
    "etc/sudoers.d/zfssudo": "zfssudo ALL=(root) NOPASSWD: /usr/sbin/zfs, /usr/sbin/zpool\n",
    "etc/initramfs-tools/conf.d/testbed": "MODULES=list\nCOMPRESS=zstd\n",
    "etc/initramfs-tools/modules": "virtio_pci\nvirtio_blk\next4\n",
    "etc/tmpfiles.d/testbed.conf": "d /var/testbed 0755 root root -\n",
}
"""Path below / to text. Files of etc/sudoers.d get mode 0440, all others 0644."""

FINISH: Final = r"""#!/bin/sh
# Runs outside the new system, which is $1. $FILES is the tree of guest files and keys.
set -eu
root=$1
cp -r --preserve=mode,timestamps "$FILES"/. "$root"/
chown -R 0:0 "$root/etc/testbed" "$root/etc/ssh" "$root/etc/sudoers.d"
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

chroot "$root" systemctl enable systemd-networkd ssh
chroot "$root" systemctl disable systemd-networkd-wait-online 2>/dev/null || true
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
    fstrim.timer systemd-tmpfiles-clean.timer man-db.timer getty@tty1.service serial-getty@ttyS0.service \
    zfs-import-cache.service zfs-import-scan.service zfs-mount.service zfs-share.service zfs-volume-wait.service \
    zfs-zed.service systemd-timesyncd.service systemd-pstore.service rsync.service sshd-keygen.service \
    ssh.socket networkd-dispatcher.service modprobe@drm.service systemd-udev-settle.service; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
rm -f "$root/etc/cron.d/zfsutils-linux"

# The module stays as dkms made it, only unpacked: an emulated processor would unpack it at every boot.
kernel=$(basename "$root"/lib/modules/*)
find "$root/lib/modules/$kernel/updates/dkms" -name '*.ko.xz' -exec xz -d {} +
test -e "$root/lib/modules/$kernel/updates/dkms/zfs.ko" || {
    tail -n 60 "$root"/var/lib/dkms/zfs/*/build/make.log "$root"/var/lib/dkms/zfs/*/*/*/log/make.log
    echo "dkms made no zfs module" >&2
    exit 1
}
chroot "$root" depmod "$kernel"
chroot "$root" mkinitramfs -o /boot/initrd.testbed "$kernel"
cp "$root/boot/vmlinuz-$kernel" "$OUT/vmlinuz"
mv "$root/boot/initrd.testbed" "$OUT/initrd.img"
chroot "$root" dpkg-query -W > "$OUT/packages.txt"
chroot "$root" dpkg-query -W -f '${Version}' zfsutils-linux > "$OUT/zfs-version"
rm -rf "$root"/boot/initrd.img* "$root"/usr/src "$root"/usr/lib/gcc "$root"/var/cache/apt "$root"/var/lib/apt/lists \
    "$root"/var/lib/dkms "$root"/usr/share/doc "$root"/usr/share/locale "$root"/usr/libexec/gcc
mkdir -p "$root/var/cache/apt/archives/partial" "$root/var/lib/apt/lists/partial"
"""
