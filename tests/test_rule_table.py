"""Every rule that a floor can show is shown, and the table in docs says by which scenarios."""

from __future__ import annotations

import pytest

from application.rule_titles import RULES
from tests.rule_table import NOT_SHOWN, TABLE, page, table

OF_THE_QUEUE = [rule for rule in RULES if rule.startswith("T")]


def test_the_queue_has_its_forty_three_rules() -> None:
    assert len(OF_THE_QUEUE) == 43  # T1 to T45; there are no T41 and T42
    assert NOT_SHOWN.keys() <= set(OF_THE_QUEUE)


@pytest.mark.parametrize("rule", [rule for rule in OF_THE_QUEUE if rule not in NOT_SHOWN])
def test_a_rule_of_the_queue_has_three_scenarios(rule: str) -> None:
    assert len(table().get(rule, [])) >= 3


def test_the_table_in_docs_is_up_to_date() -> None:
    assert TABLE.read_text("utf-8") == page(), "run: python -m tests.rule_table > docs/rules-and-tests.md"
