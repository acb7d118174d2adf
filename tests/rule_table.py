"""`python -m tests.rule_table > docs/rules-and-tests.md`: which scenarios show which rule."""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from application.rule_titles import RULES
from application.yaml_files import Document

ROOT = Path(__file__).parent.parent
SCENARIOS = ROOT / "tests" / "scenarios"
TABLE = ROOT / "docs" / "rules-and-tests.md"

NOT_SHOWN = {"T38": "days off and the duty manager's presence are no command of the floor, and nothing tells of them"}
"""Rules that no scenario can show, and why."""

HEAD = """# Rules and the scenarios that show them

Made by `python -m tests.rule_table > docs/rules-and-tests.md`; a test checks that it is up to date, and that every rule of the
turn queue has three scenarios at least. A scenario shows a rule when it cites it in an expectation, or bears its number.
Run them with `lunpai scenario tests/scenarios`.
"""


@cache
def table() -> dict[str, list[str]]:
    """Rule -> the scenario files that show it, relative to tests/scenarios; sorted as people count."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for path in sorted(SCENARIOS.rglob("*.yaml")):
        document = Document(path.read_text("utf-8"), str(path))
        name = path.relative_to(SCENARIOS).as_posix()
        for rule in {*_cited(document.data), *re.findall(r"^[A-Z]\d+(?=-)", path.name)}:
            if rule in RULES:
                found[rule].add(name)
    return {rule: sorted(found[rule]) for rule in sorted(found, key=_as_counted)}


def _cited(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "cites" and isinstance(item, list):
                yield from item
            else:
                yield from _cited(item)
    elif isinstance(value, list):
        for item in value:
            yield from _cited(item)


def _as_counted(rule: str) -> tuple[str, int]:
    return rule[0], int(rule[1:])


def page() -> str:
    """The table as Markdown."""
    lines = [HEAD]
    rules = table()
    for rule in sorted({*rules, *NOT_SHOWN}, key=_as_counted):
        english, chinese = RULES[rule]
        lines += [f"## {rule} · {english} · {chinese}", ""]
        if rule in NOT_SHOWN:
            lines += [f"Not shown: {NOT_SHOWN[rule]}.", ""]
            continue
        lines += [f"- [{Path(name).stem}](../tests/scenarios/{name})" for name in rules[rule]]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(page())
