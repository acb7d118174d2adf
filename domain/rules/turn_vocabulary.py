"""The vocabulary of rulebooks for turns and discipline (areas T and D): parameters, and tables of cases and effects."""

from __future__ import annotations

from collections.abc import Mapping

from ..rulebook import Row
from ..site import ROLES
from .specs import NUMBER, ParameterSpec, TableSpec

PURPOSES = (
    *("buy", "ask_for_friend", "research", "directions", "internal", "competitor", "builder", "advertiser", "press"),
    *("sales_call", "leaflet", "other_business"),
)
GROUNDS = ("named", "inviter", "referrer", "owner")
"""Why a visitor is somebody's, in the order in which it is asked (SCENARIOS, words 10)."""

AS = ("turn", "make_up", *GROUNDS, "stand_in", "support", "duty", "set_aside")
"""As what somebody receives: SCENARIOS' words for `because`."""

STANDINGS = ("new", "own", "own_bought", "others", "others_bought", "referred", "again_today")
"""What the one who came is to the receiver: new (or unknown), a customer of one's own or of somebody else, who may have
bought; new and brought by a client; a new visitor of today who comes once more."""

TIES = ("met", "called", "inherited", "given")
"""What ties the owner to the visitor: has met him, knows him from calls only, has inherited or been given him and done
nothing since."""

AWAY = ("approved_business", "private", "leave", "task")
NOT_READY = ("trainee", "unwell", "task", "resigning", "untested")
MISCONDUCTS = (
    *("picking", "refusing", "neglect", "grabbing", "wrong_order", "door_duty_skipped", "no_form", "not_marked"),
    *("register_not_filled", "records_lost", "false_record", "quarrel"),
)


def _minutes(zh: str, en: str, *, may_be_none: bool = True) -> ParameterSpec:
    return ParameterSpec("count", zh, en, may_be_none=may_be_none, most=1440)


def _count(zh: str, en: str, *, may_be_none: bool = False, most: int = 100_000) -> ParameterSpec:
    return ParameterSpec("count", zh, en, may_be_none=may_be_none, most=most)


def _code(zh: str, en: str, *codes: str) -> ParameterSpec:
    return ParameterSpec("code", zh, en, codes)


def _switch(zh: str, en: str) -> ParameterSpec:
    return ParameterSpec("switch", zh, en)


TURN_PARAMETERS: dict[str, ParameterSpec] = {
    "turns.order": _code(
        "接待顺序的依据", "what the order goes by", "sign_in", "numbers", "ranking", "results", "roster"
    ),
    "turns.carry_over": _switch("次日是否接着今日的顺序和次数", "whether tomorrow goes on where today stopped"),
    "turns.period": _code(
        "次数累计的周期", "period over which turns are counted", "day", "week", "fortnight", "month", "two_months"
    ),
    "turns.rosters": _code("来电来访是否分开排", "rosters of calls and of visits", "separate", "shared"),
    "turns.teams": _code("分组方式", "how teams take part", "together", "channels_alternate", "halves"),
    "turns.taken_by": ParameterSpec("codes", "参加轮排的岗位", "roles that take turns", ROLES),
    "turns.passed_while_busy": _code(
        "接待老客户或帮助成交时轮到本人",
        "passed while busy with an earlier visitor or helping a colleague close",
        *("make_up", "end", "keep"),
    ),
    "turns.buyers_make_up_first": _switch(
        "接待已成交客户时轮到本人，是否优先补接", "whether one passed while with a buyer is made up before others"
    ),
    "turns.absent_after_minutes": _minutes(
        "轮到而不在的宽限（分钟）", "minutes of grace for one who is called and absent", may_be_none=False
    ),
    "turns.when_absent": _code(
        "轮到而不在时", "what is done when one is absent", "forfeit_after_grace", "next_at_once"
    ),
    "turns.second_visitor_by": ParameterSpec(
        "codes", "谁可准许同时接待第二组", "roles that may let somebody take a second visitor", ROLES
    ),
    "turns.hand_over_by": ParameterSpec(
        "codes", "谁可另行指定接待人、排序、处分", "roles that may name another receiver, rank and discipline", ROLES
    ),
    "turns.stand_in_of_own_team": _switch(
        "代接是否先由同组人员承担", "whether who stands in is of the same team, if one is free"
    ),
    "turns.give_up_after_minutes": _minutes(
        "等候多久可放弃（分钟）", "minutes of waiting after which a turn may be given up"
    ),
    "turns.give_ups_before_fine": _count(
        "一日内几次主动放弃即处罚", "how many times a day of giving up are punished", may_be_none=True
    ),
    "turns.give_up_fine_yuan": _count("主动放弃的罚款（元）", "fine for giving up too often, in yuan"),
    "turns.give_up_suspended_days": _count("主动放弃的停接天数", "days of suspension for giving up often", most=366),
    "turns.ab_posts": _switch("是否设A、B岗", "whether there are posts A (receives) and B (asks, stands ready)"),
    "turns.door_minutes": _minutes("每次站岗（分钟）", "minutes of a stint at the door"),
    "turns.door_receives": _switch("站岗者接待新客户", "whether who stands at the door receives the new visitors"),
    "turns.at_least_waiting": _count("至少须有几人等候", "how many must be waiting, or the other team stands ready"),
    "turns.when_nobody_is_free": _code(
        "无人可接时", "when nobody of the line is free", "nobody", "other_team", "set_aside"
    ),
    "turns.duty_until": ParameterSpec(
        "time", "几点前为值班时间", "until when in the morning it is duty time", may_be_none=True
    ),
    "turns.duty_from": ParameterSpec(
        "time", "几点起为值班时间", "from when in the evening it is duty time", may_be_none=True
    ),
    "turns.on_duty": _count("值班人数", "how many are on duty outside the hours of turns", may_be_none=True),
    "turns.media_day_receives": _switch("媒体开放日是否接待", "whether visitors are received on a media day"),
    "turns.early_knowledge_minutes": _minutes(
        "几分钟内识破非购房者算当场识破", "minutes within which a non-buyer is known early"
    ),
    "turns.short_look_minutes": _minutes(
        "几分钟以内的了解算短暂", "a look of at most so many minutes counts as short"
    ),
    "turns.recognised_within_minutes": _minutes(
        "几分钟内认出可交还", "minutes within which a recognised visitor is handed back (none: at any time)"
    ),
    "turns.large_party": _count(
        "几人起加派一名协助", "for every so many persons of a party one helper is sent", may_be_none=True
    ),
    "turns.call_conversion_percent": _count(
        "来电转成率不足百分之几，下月不分配来电",
        "conversion of a month's calls in percent below which none come next month",
        may_be_none=True,
        most=100,
    ),
    "turns.lowest_is_retested": _switch(
        "月转成率最低者是否须重新过关", "whether the lowest conversion of a month takes no turns until tested anew"
    ),
    "discipline.warnings_before_fine": _count(
        "一月内警告超过几次罚款", "warnings in a month beyond which there is a fine", may_be_none=True
    ),
    "discipline.warnings_fine_yuan": _count("警告过多的罚款（元）", "fine for too many warnings, in yuan"),
}  # fmt: skip

PLACE = ("keep", "end", "front", "owes_pass")
MAKE_UP = ("none", "one", "first")

TURN_TABLES: dict[str, TableSpec] = {
    "turns.claimed": TableSpec(
        "来的是某人的客户时由谁接待",
        "who receives a visitor that is somebody's",
        {
            "ground": GROUNDS,
            "channel": ("visit", "call"),
            "bought": ("yes", "no"),
            "tie": (*TIES, "none"),
            "claimant": ("free", "busy", "away"),
            "entrusted": ("yes", "no"),
        },
        {"who": ("claimant", "entrusted", "next", "last", "supervisor", "line")},
        ("who",),
    ),
    "turns.counts": TableSpec(
        "一次接待算不算轮次",
        "what a reception does to the receiver's turn",
        {
            "as": AS,
            "visitor": STANDINGS,
            "channel": ("visit", "call"),
            "in_turn": ("yes", "no"),
            "appointment": ("yes", "no"),
        },
        {"turn": ("taken", "none"), "place": PLACE, "make_up": MAKE_UP},
        ("turn", "place", "make_up"),
    ),
    "turns.purpose": TableSpec(
        "来意与时间长短",
        "what becomes of the turn by what the visitor came for, and how long it took",
        {
            "purpose": PURPOSES,
            "known": ("at_start", "early", "by_end"),
            "short": ("yes", "no"),
            "channel": ("visit", "call"),
        },
        {"turn": ("counts", "given_back", "make_up", "last_receives")},
        ("turn",),
    ),
    "turns.revealed": TableSpec(
        "接待中发现是老客户",
        "what happens when the visitor turns out to be known while being received",
        {
            "owner": ("self", "present", "entrusted", "not_reached"),
            "bought": ("yes", "no"),
            "in_time": ("yes", "no"),
        },
        {
            "receives": ("owner", "entrusted", "stays"),
            "turn": ("counts", "given_back", "make_up", "make_up_first"),
        },
        ("receives", "turn"),
    ),
    "turns.passed": TableSpec(
        "轮到时不在岗",
        "what becomes of the place of one who is off the floor when the turn comes",
        {"away": AWAY},
        {"place": ("keep", "end"), "make_up": MAKE_UP, "fine_yuan": NUMBER, "day": ("goes_on", "lost")},
        ("place", "make_up", "fine_yuan", "day"),
    ),
    "discipline.misconduct": TableSpec(
        "违纪处理",
        "what misconduct leads to",
        {"what": MISCONDUCTS},
        {
            "fine_yuan": NUMBER,
            "suspended_days": NUMBER,
            "warning": ("yes", "no"),
            "rounds": ("same", "double"),
        },
        ("fine_yuan", "suspended_days", "warning", "rounds"),
    ),
}


def possible(table: str, case: Mapping[str, str]) -> bool:
    """Whether such a case can arise at all."""
    if table == "turns.claimed":
        owned = case["ground"] == "owner"
        return owned == (case["tie"] != "none") and (case["entrusted"] == "no" or case["claimant"] != "free")
    if table == "turns.purpose":
        return case["known"] != "at_start" or case["short"] == "no"
    return True


def fits(table: str, case: Mapping[str, str], row: Row) -> bool:
    """Whether a row's effect can be carried out in a case: nobody receives who is not there."""
    if table == "turns.claimed":
        who = row.then["who"]
        return (who != "claimant" or case["claimant"] != "away") and (who != "entrusted" or case["entrusted"] == "yes")
    if table == "turns.purpose":
        return row.then["turn"] != "last_receives" or case["known"] == "at_start"
    if table == "turns.revealed":
        receives, owner = row.then["receives"], case["owner"]
        return (receives != "owner" or owner == "present") and (receives != "entrusted" or owner == "entrusted")
    return True
