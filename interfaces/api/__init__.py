"""The JSON API: one blueprint with its schemas per resource, over the same commands as the command line."""
