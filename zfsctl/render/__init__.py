"""Model to text for people. No decisions."""
