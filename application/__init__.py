"""One transaction each: load, decide, save. The only room besides projections that knows the event store."""
