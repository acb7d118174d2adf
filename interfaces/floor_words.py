"""The words of the floor in English and Chinese: one table a family of codes, so that no code is ever shown bare."""

from __future__ import annotations

from application.rulebook_turn_words import TURN_CONDITIONS

CHANNELS: dict[str, tuple[str, str]] = {"visit": ("visit", "来访"), "call": ("call", "来电")}
FOR: dict[str, tuple[str, str]] = {"visit": ("for visits", "来访"), "call": ("for calls", "来电")}
LINES: dict[str, tuple[str, str]] = {
    "visit": ("the line for visits", "来访队列"),
    "call": ("the line for calls", "来电队列"),
    "both": ("the line", "队列"),
}

AWAY = TURN_CONDITIONS["away"]
NOT_READY: dict[str, tuple[str, str]] = {
    "trainee": ("still a trainee", "尚在实习"),
    "unwell": ("not well", "身体不适"),
    "task": ("has another task", "另有任务"),
    "resigning": ("about to leave the company", "正在办理离职"),
    "untested": ("has a test to pass first", "尚未通过考核"),
}
STATES: dict[str, tuple[str, str]] = {
    **NOT_READY,
    **AWAY,
    "free": ("free", "空闲"),
    "absent": ("not signed in", "未签到"),
    "busy_new": ("receiving a new visitor", "正在接待新客户"),
    "busy_earlier": ("receiving an earlier visitor", "正在接待老客户"),
    "helping": ("helping a colleague", "正在协助同事"),
    "owes_pass": ("had to be passed over once", "应让过一次"),
    "suspended": ("suspended for the day", "当日停接"),
    "day_lost": ("no more turns that day", "当日轮次已失"),
    "no_calls": ("gets no calls this month", "本月不分配来电"),
    "other_team": ("of the other team", "当日由另一组接待"),
    "did_not_come": ("called, and did not come", "叫到未到"),
    "departed": ("has left the company", "已离职"),
    "not_reserved": ("by the rules such a visitor is not kept for anybody", "按制度此类客户不留给任何人"),
    "takes_no_turns": ("takes no turns", "不参加轮排"),
}
"""How somebody stands (free), or why somebody was passed over: the reasons of PassedOver."""

HOW: dict[str, tuple[str, str]] = {
    "first": ("first in the line", "排在首位"),
    "first_free": ("the first in the line who was free", "队列中第一位空闲者"),
    "post": ("at post {post}, which comes before the line", "在{post}岗，先于队列"),
    "last": ("last of those free, to whom non-buyers go", "空闲者中的末位（非购房者由末位接待）"),
    "make_up": ("owed a make-up, which comes before the line", "有补接，先于队列"),
    "owner": ("the visitor is a customer of {who}", "是{who}的客户"),
    "named": ("asked for by name", "客户点名"),
    "inviter": ("invited the visitor", "由其邀约"),
    "referrer": ("the visitor was brought by a client of {who}", "由{who}的老客户带来"),
    "stand_in_named": ("stands in for {instead_of}, who was asked for by name", "代{instead_of}接待（客户点名）"),
    "stand_in_inviter": ("stands in for {instead_of}, who invited the visitor", "代{instead_of}接待（由其邀约）"),
    "stand_in_referrer": (
        "stands in for {instead_of}, whose client brought the visitor",
        "代{instead_of}接待（其老客户带来）",
    ),
    "stand_in_owner": ("stands in for {instead_of}, whose customer the visitor is", "代{instead_of}接待（其客户）"),
    "named_instead": ("named to receive instead of {instead_of}", "被指定接替{instead_of}"),
    "support": ("supports the other team, where too few were free", "另一组空闲人手不足，前来支援"),
    "duty": ("on duty outside the hours of turns", "值班时间由值班者接待"),
    "door": ("stood at the door", "正在站岗"),
    "set_aside": (
        "nobody was free, so the order was set aside, and the one with the fewest visitors takes one more",
        "无人空闲，不按顺序，由手上客户最少者加接",
    ),
    "nobody": ("nobody was free", "无人空闲"),
    "nobody_on_duty": ("nobody on duty was free", "值班者均不空闲"),
    "nobody_on_media_day": ("on a media day no visitors are received", "媒体开放日不接待"),
}  # fmt: skip
"""What made it this person: SCENARIOS' `because`, told apart further where the record shows more."""

AS_ASKED: dict[str, tuple[str, str]] = {
    "named": ("asked for by name", "客户点名"),
    "inviter": ("invited the visitor", "邀约人"),
    "referrer": ("whose client brought the visitor", "介绍客户的归属人"),
    "owner": ("whose customer the visitor is", "客户归属人"),
    "make_up": ("owed a make-up", "有补接"),
}
"""As what somebody was asked before the line."""

EFFECTS: dict[str, tuple[str, str]] = {
    "to_end": ("goes to the end of {line}", "排到{line}末位"),
    "to_front": ("goes back to the front of {line}", "回到{line}首位"),
    "turn": ("takes a turn {channel}", "记{channel}轮次一次"),
    "turn_back": ("has the turn {channel} taken back", "撤回{channel}轮次一次"),
    "make_up": ("is owed a make-up {channel}", "应补接{channel}一次"),
    "make_up_first": ("is owed a make-up {channel}, before all others", "应优先补接{channel}一次"),
    "make_up_served": ("has the make-up {channel} that was owed", "所欠{channel}补接已补"),
    "owes_pass": ("will be passed over once {channel}, when next at the front", "{channel}下次轮到时让过一次"),
    "pass_paid": ("has now been passed over {channel}, as was due", "{channel}应让的一次已让过"),
    "pass_back": ("owes that pass no more", "不再欠此次轮空"),
    "double_rounds": ("from now on two rounds count as one", "此后两轮只接一轮"),
    "fine": ("is fined {yuan} yuan", "罚款{yuan}元"),
    "warning": ("gets a warning", "警告一次"),
    "suspended": ("gets no turns on {day}", "{day}停接一天"),
    "day_lost": ("gets no more turns that day", "当日不再轮接"),
    "call_answered": ("has one more call from which a sale may come", "来电接听数加一（计转成率）"),
    "support_moves_on": ("is the last to be called for support again", "下次支援排到最后"),
    "door_left": ("leaves the door before the stint is over", "提前结束站岗"),
    "keeps_place": ("keeps the place in {line}", "在{line}的位次不变"),
}  # fmt: skip
"""What is done to somebody; `keeps_place` is said of those who are passed over and to whom nothing is done."""

AS = TURN_CONDITIONS["as"]
STANDINGS = TURN_CONDITIONS["visitor"]
PURPOSES = TURN_CONDITIONS["purpose"]
MISCONDUCTS = TURN_CONDITIONS["what"]
"""As rulebooks are read out: as what somebody receives, what the visitor is to the receiver and has come for."""

FOUND_BY: dict[str, tuple[str, str]] = {
    "phone": ("found by the phone number", "按电话查到"),
    "visitor": ("known to the desk", "前台认出"),
    "describes": ("fits the description that was given", "按描述认定"),
    "recognised": ("recognised later", "接待中认出"),
}
TIES: dict[str, tuple[str, str]] = {
    "met": ("who has met the visitor", "曾当面接待"),
    "called": ("who knows the visitor from calls only", "仅通过电话"),
    "inherited": ("who has taken the file over", "接手而来"),
    "given": ("to whom the visitor was given", "分配而来"),
    "none": ("", ""),
}
TURN: dict[str, tuple[str, str]] = {
    "counts": ("the turn of {who} counts", "{who}的轮次照计"),
    "given_back": ("the place of {who} is given back", "{who}的位次归还"),
    "make_up": ("{who} is owed a make-up", "{who}应补接一次"),
    "make_up_first": ("{who} is owed a make-up before others", "{who}应优先补接一次"),
}
"""What becomes of the turn of the one who received a visitor who turned out to be known."""

LEAVE: dict[str, tuple[str, str]] = {
    "second_visitor": ("take a second visitor", "同时接待第二组客户"),
    "giving_up": ("give up a turn", "放弃一次轮次"),
}
DAYS: dict[str, tuple[str, str]] = {"normal": ("a normal day", "普通日"), "media": ("a media day", "媒体开放日")}

HAPPENED: dict[str, tuple[str, str]] = {
    "opened": ("the day begins", "当日开始"),
    "signed_in": ("{who} signed in", "{who}签到"),
    "signed_out": ("{who} signed out", "{who}签退"),
    "stepped_out": ("{who} left the floor: {what}", "{who}离岗：{what}"),
    "stepped_back": ("{who} is back on the floor", "{who}回岗"),
    "readiness_changed": ("{who} takes no turns: {what}", "{who}暂不参加轮排：{what}"),
    "ready": ("{who} takes turns again", "{who}恢复轮排"),
    "permitted": ("{who} may {what}; leave given by {by}", "{by}准许{who}{what}"),
    "post_taken": ("{who} is at post {what}", "{who}到{what}岗"),
    "door_taken": ("{who} stands at the door", "{who}开始站岗"),
    "relieved": ("{who} is relieved at the door", "{who}下岗"),
    "relieved_owing": ("{who} is relieved at the door, and owes {minutes} minutes", "{who}下岗，尚欠{minutes}分钟"),
    "ranked": ("the order is now: {what}", "顺序现为：{what}"),
    "day_declared": ("it is {what}", "今日为{what}"),
    "reception_opened": ("the desk called for a consultant", "前台叫接待"),
    "receiver_changed": ("another receives", "更换接待人"),
    "absent": ("{before} was called and did not come", "{before}叫到未到"),
    "handed_over": ("{by} named {who} to receive instead of {before}", "{by}指定{who}接替{before}"),
    "recognised": ("the visitor turned out to be known", "认出客户"),
    "helped": ("{who} joined", "{who}加入协助"),
    "unanswered": ("nobody answered the call", "来电无人接听"),
    "finished": ("the reception was over", "接待结束"),
    "given_up": ("{who} gave up a turn ({what})", "{who}放弃轮次（{what}）"),
    "not_reached": ("{who} could not be reached", "联系不上{who}"),
    "misconduct": ("put on record of {who}: {what} (by {by})", "记录{who}：{what}（{by}）"),
    "warned": ("{who} was warned by {by}", "{by}警告{who}"),
    "carried_on": ("a reception of the day before was over after midnight", "前一日的接待过零点后结束"),
    "call_converted": ("a customer known from a call of {who} has bought", "{who}所接来电的客户已购房"),
}
"""What happened, by the stored names of the queue's facts - and by what is told apart within one."""

LABELS: dict[str, tuple[str, str]] = {
    # somebody's state
    "since": (" since {at}", "（{at}起）"),
    "with": ("with {receptions}", "正在接待{receptions}"),
    "with_busy_earlier": ("with {receptions}, an earlier visitor", "正在接待老客户{receptions}"),
    "helping_with": ("helping with {receptions}", "协助{receptions}"),
    "second": ("may take a second visitor", "可同时接待第二组"),
    "to_be_passed": ("will be passed over once", "下次轮到让过一次"),
    # choices
    "receives": ("{who} receives: {how}", "{who}接待：{how}"),
    "receive_anew": (
        "nobody is kept waiting in the record: when somebody is free, say `lunpai floor receive` anew",
        "记录里不排队等候：有人空闲时，请重新lunpai floor receive",
    ),
    "nobody_receives": ("nobody receives: {how}", "无人接待：{how}"),
    "passed_over": ("passed over: {who}", "轮空：{who}"),
    "entrusted": ("as {who} had asked", "受{who}委托"),
    "helping": ("helping: {who}", "协助：{who}"),
    # the one who came
    "unknown_visitor": ("a visitor of whom nothing was known", "未知客户"),
    "unnamed": ("(name not on record)", "（无姓名）"),
    "nobodys": ("nobody's customer", "无归属人"),
    "customer_of": ("a customer of {who}", "{who}的客户"),
    "bought_from": ("a customer of {who} who has bought", "{who}的已购客户"),
    "again_today": ("received before that day", "当天已接待过"),
    "as_new": ("by the rules a new visitor all the same", "按制度仍作新客户"),
    "asks_for": ("asked for {who}", "点名{who}"),
    "invited_by": ("invited by {who}", "{who}邀约"),
    "brought_by": ("brought by {client}", "由{client}带来"),
    "brought_by_client_of": ("brought by {client}, a client of {who}", "由{client}带来（{who}的客户）"),
    "appointment": ("with an appointment", "有预约"),
    "party": ("{number} persons", "一行{number}人"),
    "entrusted_to": ("entrusted to {who}", "已委托{who}"),
    # what became of a reception
    "recognised": ("turned out to be {visitor}", "认出是{visitor}"),
    "goes_on": ("{who} goes on receiving", "{who}继续接待"),
    "is_receiving": ("going on, with {who} since {at}", "进行中，{who}自{at}起接待"),
    "it_was": ("it was {visitor}", "客户为{visitor}"),
    "received_as": ("received {how}", "{how}"),
    "too_late": ("found out too late to hand over", "认出过晚，不再交还"),
    "counts": ("it counts as a turn of {who}", "计{who}一次轮次"),
    "no_turn": ("it is no turn of {who}", "不计{who}的轮次"),
    "make_up_served": ("it was the make-up that {who} was owed, and no turn", "这是{who}的补接，不计轮次"),
    "over": ("over at {at}", "{at}结束"),
    "nobody_came": ("nobody could be called", "无人可叫"),
    "entered": ("entered {at}", "{at}录入"),
    "the_office": ("the office", "案场"),
    # headings and rows of `why`
    "reception": ("Reception {label}: {channel}, {day} {at}", "接待 {label}：{channel}，{day} {at}"),
    "site": ("Site", "案场"),
    "rules": ("Rulebook", "适用制度"),
    "visitor": ("Visitor", "客户"),
    "told": ("Said", "说明"),
    "answer": ("Answer", "结论"),
    "now": ("Now", "现状"),
    "asked_first": ("Asked before the line", "先于队列询问"),
    "line_as_it_stood": ("{line} at {at}, as it stood", "{at}的{line}"),
    "empty_line": ("Nobody had a place in it.", "队列中无人。"),
    "receives_here": ("receives: {how}", "接待：{how}"),
    "was_passed": ("passed over: {why}", "轮空：{why}"),
    "otherwise": ("would have been next, had {who} not been free", "若{who}不得空，即轮到此人"),
    "not_asked": ("not asked", "未询问"),
    "not_reached": ("came after", "在其后"),
    "outside": ("{who} had no place in it.", "{who}不在队列中。"),
    "decided": ("What decided", "判定"),
    "in_turn": ("it was also the turn of {who}", "也正轮到{who}"),
    "out_of_turn": ("by the line it was the turn of {next}", "按队列本轮到{next}"),
    "otherwise_outside": ("had {who} not been free, {next} would have been next", "若{who}不得空，即轮到{next}"),
    "otherwise_nobody": ("had {who} not been free, nobody else would have been", "若{who}不得空，再无空闲者"),
    "did": ("What it did to turns", "对轮次的影响"),
    "did_nothing": ("Nothing.", "无。"),
    "later": ("What happened afterwards", "后续变化"),
    "nothing_later": ("Nothing yet.", "尚无。"),
    "cited": ("Clauses in full", "条款原文"),
    # headings and rows of the board
    "board": ("Floor of {site}, {day} {at}", "{site}轮排板　{day} {at}"),
    "next_visit": ("Next for a visit", "下一来访"),
    "next_call": ("Next for a call", "下一来电"),
    "door": ("At the door", "站岗"),
    "posts": ("Posts", "岗位"),
    "owed_minutes": ("{who} owes {minutes} minutes", "{who}尚欠{minutes}分钟"),
    "team": ("Team for visits", "接访组"),
    "kind": ("Day", "当日"),
    "line_visit": ("Line for visits", "来访队列"),
    "line_call": ("Line for calls", "来电队列"),
    "line_both": ("Line for visits and calls", "来访来电队列"),
    "aside": ("Not in a line", "不在队列"),
    "who": ("who", "姓名"),
    "state": ("now", "状态"),
    "turns_today": ("turns", "今日轮次"),
    "turns_period": ("since {day}", "{day}起"),
    "make_ups": ("make-ups", "欠补接"),
    "passes": ("passes", "应让"),
    "make_ups_owed": ("make-ups owed: {number}", "欠补接{number}次"),
    "open": ("Receptions going on", "进行中的接待"),
    "none_open": ("none", "无"),
    "label": ("label", "编号"),
    "channel": ("by", "渠道"),
    "receiver": ("received by", "接待人"),
    "since_when": ("since", "开始"),
    "because": ("how", "依据"),
    "helpers": ("helped by", "协助"),
    "month": ("This month", "本月"),
    "yuan": ("{yuan} yuan in fines", "罚款{yuan}元"),
    "warnings_now": ("the warnings of the month: {number}", "本月第{number}次警告"),
    "warnings": ("{number} warning", "警告{number}次"),
    "warnings_several": ("{number} warnings", "警告{number}次"),
    "suspended_on": ("no turns on {days}", "停接：{days}"),
    "double_rounds": ("two rounds count as one", "两轮只接一轮"),
    "no_calls": ("gets no calls", "不分配来电"),
    # answers of commands
    "places": ("place {place} in {line}", "{line}第{place}位"),
    "no_place": ("takes no turns", "不参加轮排"),
    "held_against": ("counted against {who}", "计入{who}主动放弃"),
    "accepted": ("accepted", "理由成立"),
    "keeps_place": ("keeps the place for tomorrow", "位次留到次日"),
    "entrusted_now": ("{who} looks after the visitor, as {by} asked", "{by}委托{who}照看该客户"),
}
"""Headings and phrases."""
