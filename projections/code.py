"""By which code a view was made: a view is only ever changed by the code that made it, or rebuilt."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDS = (
    *("activity", "assignments", "commission", "docket", "follow_ups_due", "ownership", "timeline", "turn_board"),
    *("dossier", "folding", "partition", "view", "views"),
)
FOLDED_BY = (
    "domain/**/*.py",
    *(f"projections/{name}.py" for name in FOLDS),
    *(f"application/{name}.py" for name in ("event_store/mapper", "office_files", "rulebooks", "yaml_files")),
)
"""The modules on which a view's rows depend. (Rulebooks do not count: facts carry the text that was adopted.)"""


@cache
def fingerprint() -> str:
    """The first 16 hexadecimal digits of the hash over all that folds facts into rows."""
    digest = sha256()
    for path in sorted({path for pattern in FOLDED_BY for path in ROOT.glob(pattern)}):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
