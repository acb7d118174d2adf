"""What stands for what in the examples of the documentation."""

from __future__ import annotations

SITE = "5b0d6a3e-8f6c-4a57-9a3c-6b5f0d6a4c01"
STAFF = "5b0d6a3e-8f6c-4a57-9a3c-6b5f0d6a4c02"
COLLEAGUE = "5b0d6a3e-8f6c-4a57-9a3c-6b5f0d6a4c03"
VISITOR = "5b0d6a3e-8f6c-4a57-9a3c-6b5f0d6a4c04"
RELATIVE = "5b0d6a3e-8f6c-4a57-9a3c-6b5f0d6a4c05"
SALE = "5b0d6a3e-8f6c-4a57-9a3c-6b5f0d6a4c06"
DISPUTE = "5b0d6a3e-8f6c-4a57-9a3c-6b5f0d6a4c07"
PROPOSAL = "5b0d6a3e-8f6c-4a57-9a3c-6b5f0d6a4c08"
LEAVER = "5b0d6a3e-8f6c-4a57-9a3c-6b5f0d6a4c09"
RECEPTION = "r1"
JOB = "12"
REBUILD = "7"
RULEBOOK = "forty-three-articles"
PARAMETER = "attribution.protection_days"
AT = "2026-03-02T10:02:00+08:00"
PATHS = {
    "site": SITE,
    "staff": LEAVER,
    "visitor": VISITOR,
    "sale": SALE,
    "dispute": DISPUTE,
    "reception": RECEPTION,
    "proposal": PROPOSAL,
    "rulebook": RULEBOOK,
    "job": JOB,
    "rebuild": REBUILD,
}
"""Part of a path -> what it is in the examples."""
