"""The record of facts: envelope, mapper, recorders. With projections/ the only room that knows the
event-sourcing library."""
