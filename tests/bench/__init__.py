"""What `make bench` runs: the program beside its peers and limits, on one server and in one run."""
