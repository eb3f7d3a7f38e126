"""Simulated hosts: an in-memory OpenZFS behind the protocol of real ones."""
