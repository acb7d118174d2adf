"""One pure function per clause family: plain values and an edition in, a finding out."""
