"""Simulated hosts: an in-memory OpenZFS 2.3 behind the protocol of real ones.

fleet, host, answering   what the rest of zfsctl sees; faults puts crashes, cuts and lies in between
store                    fleet.json on disk, locked while a command runs
document_*, dataset_load, extents_load, reading    the document and the state, each from the other
machines, pools, datasets, extents, scans          the state: what is, and the bytes it holds
shell                    which programs there are; calls, options, selecting, proplist serve them all
listing, getting, snapshotting, destroying …       one module for each command, in the words of libzfs
streams, sending, resuming, resume_token           what zfs send writes: a value with a length, but no bytes
receiving, intake, receive_*, unfinished           what zfs receive makes of it, refuses and leaves half done
piping, stream_faults                              both joined, and the ways in which a stream ends early
natives, inheritance, values, accounts, mounts     what every property reads, and where it comes from
building, workload, example                        making a fleet, letting time pass, the fleet of a first look

What commands print and refuse is held against real OpenZFS by tests/differential, and against captured answers by
tests/sandbox. Not simulated: delegated rights but for those of send and receive, processes inside mounts, streams
with properties or of whole trees, `zfs receive -F`.
"""
