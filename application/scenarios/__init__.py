"""Scenario files: a sales office's rules as executable cases, run through the same commands as everything else."""
