"""Answers prepared ahead: each projection is a fold over the facts that can be thrown away and rebuilt."""
