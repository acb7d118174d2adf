"""The page of a rulebook: its order, its parameters and rows in words, its clauses with article and text."""

from __future__ import annotations

import pytest

from application.replay.wording import Language
from application.rulebook_page import explain_edition
from tests.application.small_rulebook import ownership_only, small

LANGUAGES: list[Language] = ["en", "zh"]


def page(language: Language) -> list[str]:
    return explain_edition(small(), language).split("\n")


def test_it_begins_with_what_it_is() -> None:
    assert page("en")[:6] == [
        "# Small rules (small)",
        "",
        "- Office: Sales office One",
        "- In force from: 2026-01-01",
        "- Covers: turns and discipline, ownership, commission",
        "- Source: a page of our own",
    ]
    assert page("zh")[:6] == [
        "# 小制度（small）",
        "",
        "- 适用单位：一号售楼处",
        "- 施行日期：2026-01-01",
        "- 内容：轮排与纪律、客户归属、佣金",
        "- 来源：a page of our own",
    ]


@pytest.mark.parametrize(
    ("language", "headings"),
    [
        (
            "en",
            ["The line", "What counts as a turn", "Absence and giving up", "Discipline and assessment", "Ownership",
             "Commission", "Clauses", "Where the document is silent (ours)"],
        ),
        ("zh", ["轮排", "轮次怎么算", "不在岗与放弃轮次", "纪律与考核", "客户归属", "佣金", "条款", "制度未写明、由本系统补充的"]),
    ],
)  # fmt: skip
def test_subjects_come_in_order_and_those_with_nothing_are_left_out(language: Language, headings: list[str]) -> None:
    assert [line[3:] for line in page(language) if line.startswith("## ")] == headings


def test_tables_have_headings_of_their_own() -> None:
    headings = [line[4:] for line in page("en") if line.startswith("### ")]
    assert headings[:2] == [
        "What a reception does to the receiver's turn",
        "What becomes of the turn by what the visitor came for, and how long it took",
    ]
    assert len(headings) == 9


@pytest.mark.parametrize(
    ("en", "zh"),
    [
        (
            "- **What the order goes by** (`turns.order`): the order of signing in (s-1)",
            "- **接待顺序的依据** (`turns.order`)：签到先后（s-1）",
        ),
        (
            "- **Whether there are posts A (receives) and B (asks, stands ready)** (`turns.ab_posts`): yes (s-1)",
            "- **是否设A、B岗** (`turns.ab_posts`)：是（s-1）",
        ),
        (
            "- **Until when in the morning it is duty time** (`turns.duty_until`): 08:00 (s-1)",
            "- **几点前为值班时间** (`turns.duty_until`)：08:00（s-1）",
        ),
        (
            "- **Minutes of waiting after which a turn may be given up** (`turns.give_up_after_minutes`): at any time (our-rest)",
            "- **等候多久可放弃** (`turns.give_up_after_minutes`)：随时可以放弃（our-rest）",
        ),
        (
            "- **Minutes of grace for one who is called and absent** (`turns.absent_after_minutes`): no grace (s-1)",
            "- **轮到而不在的宽限** (`turns.absent_after_minutes`)：没有宽限（s-1）",
        ),
        (
            "- **Days of protection after a contact** (`attribution.protection_days`): no limit (our-rest)",
            "- **保护期** (`attribution.protection_days`)：不限（our-rest）",
        ),
        (
            "- **Relations that make two persons one customer** (`attribution.household`): spouse, parent (our-rest)",
            "- **视为同一客户的亲属关系** (`attribution.household`)：配偶、父母（our-rest）",
        ),
        (
            "- **Relations that make a company and a person one customer** (`attribution.company`): none (our-rest)",
            "- **企业购房时视为同一客户的关系** (`attribution.company`)：无（our-rest）",
        ),
    ],
)
def test_parameters_in_words(en: str, zh: str) -> None:
    assert en in page("en") and zh in page("zh")


@pytest.mark.parametrize(
    ("en", "zh"),
    [
        (
            "- received as the owner; an earlier visitor of one's own who has not bought → no turn, place kept, one make-up (s-2)",
            "- 作为归属人接待；本人未成交的老客户 → 不占轮次，位置不变，补接一次（s-2）",
        ),
        (  # in the order of the vocabulary, however the file has it
            "- received by turn or as the owner; an earlier visitor of one's own; on a visit → no turn, place kept, no make-up (s-2)",
            "- 按轮次接待或作为归属人接待；本人的老客户；来访 → 不占轮次，位置不变，不补接（s-2）",
        ),
        (
            "- in every other case → one turn, to the end of the line, no make-up (s-1)",
            "- 其他情形 → 占一个轮次，排到末位，不补接（s-1）",
        ),
        (  # a condition that admits all says nothing
            "- a sales caller, a leaflet-taker or somebody with other business → no turn, the place given back (s-1, our-rest)",
            "- 推销的、索取资料的或来办其他事的 → 不占轮次，退回原位（s-1、our-rest）",
        ),
        (
            "- out for private reasons or on leave → to the end of the line, no make-up, a fine of 50 yuan, no more turns that day (s-1)",
            "- 因私外出或请假 → 排到末位，不补接，罚款50元，当日不再轮排（s-1）",
        ),
        (  # where something happens, what does not is not said
            "- out on approved business or off on a task of the office → place kept, one make-up before all others (s-1)",
            "- 经批准因公外出或另有工作安排 → 位置不变，优先补接一次（s-1）",
        ),
        (
            "- picking visitors or a quarrel → a fine of 20 yuan, suspended for 1 day, a warning, two rounds count as one from then on (s-2)",
            "- 挑选客户或争吵 → 罚款20元，停接1天，警告一次，此后两轮只算一轮（s-2）",
        ),
        (  # where nothing happens, that is said
            "- in every other case → no fine, no suspension, no warning, rounds counted as usual (s-2)",
            "- 其他情形 → 不罚款，不停接，不警告，轮次照常计算（s-2）",
        ),
        (
            "- registered; nobody has owned the visitor yet → founds the claim: first to receive, on the register (our-rest)",
            "- 登记；此前无人拥有 → 取得归属：首接并已登记（our-rest）",
        ),
        (
            "- a claim is running; received by somebody else → leaves the claim as it is: reception or sale by others "
            "leaves the owner the owner (our-rest)",
            "- 归属在保护期内；他人接待 → 归属不变：他人接待或促成成交，不改变归属（our-rest）",
        ),
        (
            "- a relation on record; one of the relations that make a company and a person one customer (none); none of the "
            "relations that make two persons one customer (spouse, parent) → one customer (our-rest)",
            "- 登记有关系；属于企业购房时视为同一客户的关系（无）；不属于视为同一客户的亲属关系（配偶、父母） → 同一客户（our-rest）",
        ),
        (  # the only row of a table: there is no other case
            "- in every case → the claim holds (our-rest)",
            "- 任何情形 → 归属成立（our-rest）",
        ),
        (
            "- others close; no shares agreed; the closer had received while the owner was away or found out during the reception "
            "and closed the same day, as the owner could not be reached → divided between owner and closer, the owner 1/3, "
            "the closer 2/3 (our-rest)",
            "- 他人成交；没有约定；成交人接待时归属人不在场或接待中才发现归属、联系不上归属人而当日成交 → "
            "归属人与成交人分成，归属人1/3，成交人2/3（our-rest）",
        ),
    ],
)
def test_rows_in_words(en: str, zh: str) -> None:
    assert en in page("en") and zh in page("zh")


def test_clauses_stand_with_article_and_text_ours_apart() -> None:
    english, chinese = page("en"), page("zh")
    assert english[-2:] == ["", "- `our-rest` (A5, T29): The rest is as ever."]
    assert "- `s-1` 第一条 (T1, T19): Received by the order of signing in." in english
    assert chinese[-1] == "- `our-rest`（A5, T29）：其余照旧。"
    assert "- `s-2` 第二条（T19, D1）：老客户不占轮次。" in chinese


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_rulebook_without_turns_says_so(language: Language) -> None:
    said = explain_edition(ownership_only(), language)
    assert ("nothing on turns" if language == "en" else "不涉及轮排") in said
    assert ("7 days (o-1)" if language == "en" else "7天（o-1）") in said
    assert [line for line in said.split("\n") if line.startswith("## ")] == (
        ["## Ownership", "## Clauses"] if language == "en" else ["## 客户归属", "## 条款"]
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_line_is_left_hanging(language: Language) -> None:
    """Headings and lists are set apart by one empty line, and nothing ends in a blank."""
    text = explain_edition(small(), language)
    assert "\n\n\n" not in text and not text.endswith("\n")
    assert all(line == line.rstrip() for line in text.split("\n"))
