"""zfsctl keeps the ZFS data of one machine or of a fleet safe, from one policy file."""
