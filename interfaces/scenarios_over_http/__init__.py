"""Scenario files through the JSON API: a served application, a key for everybody, and nothing known of the office but
what it answers."""
