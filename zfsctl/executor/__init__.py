"""Collect facts, re-check, apply steps, hold locks. Knows plans, never policies; emits events."""
