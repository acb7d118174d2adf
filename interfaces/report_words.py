"""The words of reports: titles, headings and codes, in each pair English, then Chinese."""

from __future__ import annotations

from typing import NamedTuple

from application.replay.wording import VIA

TITLES: dict[str, tuple[str, str]] = {
    "ownership": ("Who owns whom", "客户归属"),
    "open_pool": ("Customers whom nobody owns", "公共池"),
    "lapsing": ("Protection about to end", "即将失效"),
    "follow_ups": ("To be followed up", "待跟进"),
    "timeline": ("What happened to the customer", "客户经过"),
    "disputes": ("Disputes", "争议"),
    "commission": ("Commission", "佣金"),
    "commission_sums": ("Commission by person", "佣金汇总"),
    "daily": ("What the day brought", "日报"),
    "monthly": ("What the month brought", "月报"),
    "scoreboard": ("Scoreboard", "业绩榜"),
    "morning": ("Morning list", "晨会清单"),
    "sales": ("Sales", "成交"),
    "yesterday": ("The day before", "昨日工作"),
    "yesterdays_sales": ("Sales of the day before", "昨日成交"),
    "yesterdays_turns": ("Turns of the day before", "昨日轮次"),
    "standing": ("Owed, barred, fined", "欠补接、停接、罚款"),
    "board": ("Floor", "轮排板"),
    "assignments": ("Receptions", "接待派单"),
    "turns": ("Turns and make-ups", "轮次与补接"),
    "attendance": ("Attendance", "出勤"),
}

HEADINGS: dict[str, tuple[str, str]] = {
    "visitor": ("visitor", "客户"),
    "phone": ("phone", "电话"),
    "owner": ("owner", "归属人"),
    "ruled_owner": ("owner as ruled", "裁定归属人"),
    "ground": ("ground", "依据"),
    "since": ("since", "起始"),
    "until": ("protected through", "保护至"),
    "days_left": ("days left", "剩余天数"),
    "bought": ("bought", "已成交"),
    "ruled": ("ruled", "经裁定"),
    "last_owner": ("last owner", "原归属人"),
    "ended_at": ("ended", "失效时间"),
    "registered_at": ("registered", "登记时间"),
    "visited_at": ("last visit", "最近来访"),
    "last_contact_at": ("last contact", "最近接触"),
    "edition": ("edition", "制度版本"),
    "file": ("file", "客户编号"),
    "registration": ("registration", "登记序号"),
    "reasons": ("why", "原因"),
    "follow_ups": ("follow-ups", "有效跟进"),
    "followed_up_at": ("last follow-up", "最近跟进"),
    "at": ("when", "时间"),
    "known_at": ("entered", "录入时间"),
    "what": ("what", "事项"),
    "by": ("by", "何人"),
    "effect": ("effect", "影响"),
    "reason": ("reason", "原因"),
    "clauses": ("clauses", "条款"),
    "position": ("fact", "事实"),
    "label": ("dispute", "争议"),
    "raised_by": ("raised by", "提出人"),
    "opened_at": ("raised", "提出时间"),
    "status": ("status", "状态"),
    "ruled_at": ("ruled on", "裁定时间"),
    "ruled_by": ("ruled by", "裁定人"),
    "shares": ("shares", "分佣比例"),
    "adopted": ("as the rules say", "采纳制度结论"),
    "sale": ("sale", "成交编号"),
    "unit": ("unit", "房号"),
    "sold_at": ("sold", "成交时间"),
    "staff": ("who", "姓名"),
    "share": ("share", "比例"),
    "amount": ("yuan", "金额（元）"),
    "total": ("of yuan", "总佣金（元）"),
    "closer": ("closed it", "促成成交"),
    "agreed": ("agreed", "有约定"),
    "sales": ("sales", "成交笔数"),
    "count": ("number", "数量"),
    "rank": ("rank", "名次"),
    "commission": ("commission, yuan", "佣金（元）"),
    "customers": ("customers", "客户数"),
    # the floor
    "whereabouts": ("where", "状态"),
    "signed_in_at": ("in", "签到"),
    "signed_out_at": ("out", "签退"),
    "visit_place": ("place, visits", "来访位次"),
    "call_place": ("place, calls", "来电位次"),
    "visit_turns": ("turns, visits", "来访轮次"),
    "call_turns": ("turns, calls", "来电轮次"),
    "visit_turns_period": ("turns of the period, visits", "本期来访轮次"),
    "call_turns_period": ("turns of the period, calls", "本期来电轮次"),
    "received": ("received", "接待次数"),
    "received_as": ("as what", "接待依据"),
    "helped": ("helped", "协助次数"),
    "unanswered": ("calls unanswered", "未接来电"),
    "make_ups_granted": ("make-ups granted", "应补接"),
    "make_ups_served": ("make-ups served", "已补接"),
    "make_ups_owed": ("make-ups owed", "欠补接"),
    "visit_make_ups_owed": ("make-ups owed, visits", "欠来访补接"),
    "call_make_ups_owed": ("make-ups owed, calls", "欠来电补接"),
    "passes_owed": ("passes owed", "应让次数"),
    "visit_passes_owed": ("passes owed, visits", "来访应让"),
    "call_passes_owed": ("passes owed, calls", "来电应让"),
    "passed_over": ("times passed over", "轮空次数"),
    "passed": ("passed over", "轮空原因"),
    "absences": ("did not come", "叫到未到"),
    "gave_up": ("gave up", "放弃轮次"),
    "gave_up_against": ("gave up without cause", "无故放弃"),
    "fines": ("fines, yuan", "罚款（元）"),
    "warnings": ("warnings", "警告"),
    "month_fines": ("fines of the month, yuan", "本月罚款（元）"),
    "month_warnings": ("warnings of the month", "本月警告"),
    "suspended": ("no turns on", "停接日"),
    "suspended_today": ("suspended today", "今日停接"),
    "day_lost": ("day lost", "当日轮次已失"),
    "not_ready": ("not ready", "不可轮接原因"),
    "no_calls": ("gets no calls", "不分配来电"),
    "double_rounds": ("two rounds count as one", "两轮只接一轮"),
    "on_floor_minutes": ("minutes on the floor", "在岗分钟"),
    "receiving_minutes": ("minutes receiving", "接待分钟"),
    "door_stints": ("stints at the door", "站岗次数"),
    "door_owed_minutes": ("minutes owed at the door", "欠站岗分钟"),
    "days_present": ("days present", "出勤天数"),
    # receptions
    "came_at": ("came", "来到时间"),
    "assigned_at": ("assigned", "派单时间"),
    "over_at": ("over", "结束时间"),
    "reception": ("reception", "接待编号"),
    "channel": ("by", "渠道"),
    "state": ("state", "状态"),
    "receiver": ("received by", "接待人"),
    "instead_of": ("instead of", "代谁接待"),
    "found_by": ("owner found by", "归属查得方式"),
    "party": ("persons", "人数"),
    "purpose": ("came for", "来意"),
    "standing": ("the visitor was", "客户身份"),
    "counted": ("a turn", "计轮次"),
    "helpers": ("helped by", "协助人"),
    "called": ("how many were called", "先后叫到人数"),
    "positions": ("facts", "事实"),
}

COUNTS: dict[str, tuple[str, str]] = {
    **{f"registered_{via}": (f"registered: {VIA[via][0]}", f"{VIA[via][1]}登记") for via in VIA},
    "new_clients": ("new clients", "新客户"),
    "returning": ("registered again", "再次登记"),
    "refounded": ("won after a lapse", "失效后取得"),
    "transferred": ("transferred", "转入"),
    "lapsed": ("lapsed", "失效"),
    "follow_ups": ("follow-ups", "有效跟进"),
    "follow_ups_without_effect": ("without effect", "无效跟进"),
    "entered_late": ("entered too late", "逾期补录"),
    "converted": ("own customers sold", "归属客户成交"),
    "sold": ("sales closed", "促成成交"),
    "disputes_raised": ("disputes raised", "提出争议"),
    "rulings": ("rulings", "裁定"),
}
"""Codes of counts; none of them is a code of HEADINGS with another meaning."""

DUE: dict[str, tuple[str, str]] = {
    "lapsing": ("protection ends", "保护将到期"),
    "not_called": ("not followed up on the day", "当日未回访"),
    "few_follow_ups": ("fewer than two follow-ups", "跟进不足两次"),
}
STATUS: dict[str, tuple[str, str]] = {"open": ("open", "未裁定"), "ruled": ("ruled on", "已裁定")}
WHEREABOUTS: dict[str, tuple[str, str]] = {
    "present": ("on the floor", "在岗"),
    "signed_out": ("signed out", "已签退"),
    "not_signed_in": ("not signed in", "未签到"),
}
RECEPTION_STATUS: dict[str, tuple[str, str]] = {
    "open": ("going on", "进行中"),
    "finished": ("over", "已结束"),
    "unanswered": ("nobody answered", "无人接听"),
    "nobody": ("nobody to assign", "无人可派"),
}
"""Where somebody is after a day's last fact, and where a reception stands."""

PASSED: dict[str, tuple[str, str]] = {
    "absent": ("not in", "未签到"),
    "approved_business": ("business", "公出"),
    "private": ("private", "私事"),
    "leave": ("leave", "请假"),
    "task": ("task", "任务"),
    "busy_new": ("receiving", "接新客"),
    "busy_earlier": ("own visitor", "接老客"),
    "helping": ("helping", "协助"),
    "owes_pass": ("owed a pass", "应让"),
    "suspended": ("suspended", "停接"),
    "day_lost": ("day lost", "当日失轮"),
    "no_calls": ("no calls", "停来电"),
    "departed": ("departed", "离职"),
    "trainee": ("trainee", "实习"),
    "unwell": ("unwell", "不适"),
    "resigning": ("resigning", "待离职"),
    "untested": ("untested", "未考核"),
}
AS: dict[str, tuple[str, str]] = {
    "turn": ("turn", "轮次"),
    "make_up": ("make-up", "补接"),
    "named": ("named", "点名"),
    "inviter": ("invited", "邀约"),
    "referrer": ("referral", "老带新"),
    "owner": ("owner", "归属"),
    "stand_in": ("stand-in", "代接"),
    "support": ("support", "支援"),
    "duty": ("duty", "值班"),
    "set_aside": ("set aside", "打破次序"),
}
"""Why somebody was passed over, and as what somebody received, in as few words as a column has room for (elsewhere they
are said at length: floor_words)."""

NO_LIMIT = ("no limit", "不限期")
ERASED = ("(erased)", "（已删除）")
UNNAMED = ("(no name)", "（无姓名）")
NOBODY = ("nobody", "无人")
YES, NO = ("yes", "是"), ("no", "否")

LINES: dict[str, tuple[str, str]] = {
    "holds": (
        "Holds up to fact {position}, recorded {until}; times of {zone}; under {editions}",
        "截至第{position}条事实（{until}入库）；时区 {zone}；适用制度 {editions}",
    ),
    "holds_as_of": (
        "By the record up to fact {position}; times of {zone}; under {editions}",
        "据至第{position}条事实的记录；时区 {zone}；适用制度 {editions}",
    ),
    "as_of": ("As it stood at {}", "截至 {}"),
    "known_at": ("By what was known at {}", "按 {} 所知"),
    "left_out": (
        "{} streams could not be taken and are left out: see lunpai lag",
        "{}条流无法读入，未计入：见 lunpai lag",
    ),
    "more": ("... and more: ask with --rows, --json or --xlsx", "…… 未完：用 --rows、--json 或 --xlsx 查看"),
    "none": ("nothing", "无"),
    "about": ("About", "说明"),
    "site": ("site", "案场"),
    "day": ("day", "日期"),
    "open_pool_size": ("Nobody owns {} customers", "公共池客户{}位"),
    "total": ("{} yuan in all", "合计{}元"),
    "times": ("{} ×{}", "{}×{}"),
}


class Word(NamedTuple):
    """A code and how people say it. None: a word for what is not there."""

    code: str | None
    words: tuple[str, str]


def word(table: dict[str, tuple[str, str]], code: str) -> Word:
    """The word for a code of a table."""
    return Word(code, table[code])
