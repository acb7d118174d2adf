"""Reading of the files that sales offices keep, into typed rows."""
