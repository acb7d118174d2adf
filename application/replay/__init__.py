"""Replaying history for people who quarrel: every step with its clause, every rival with the reason why it fails."""
