"""The words for the codes of turns and discipline (areas T and D) in rulebooks: in each pair English, then Chinese."""

from __future__ import annotations

Words = tuple[str, str]

BOUGHT: dict[str, Words] = {
    "yes": ("bought already", "已成交"),
    "no": ("not bought yet", "未成交"),
}
CHANNEL: dict[str, Words] = {"visit": ("on a visit", "来访"), "call": ("on a call", "来电")}

TURN_LEADS: dict[str, Words] = {
    "as": ("received ", ""),
    "claimant": ("that consultant is ", "该顾问"),
    "ground": ("the visitor ", "客户"),
    "tie": ("the owner ", "归属人"),
}

TURN_CONDITIONS: dict[str, dict[str, Words]] = {
    "ground": {
        "named": ("asks for a consultant by name", "点名找某顾问"),
        "inviter": ("was invited by a consultant", "应顾问邀约而来"),
        "referrer": ("was brought by a consultant's client", "由老客户带来"),
        "owner": ("is owned by a consultant", "已有归属人"),
    },
    "bought": BOUGHT,
    "tie": {
        "met": ("has met the visitor", "接待过客户"),
        "called": ("knows the visitor from calls only", "只接过客户电话"),
        "inherited": ("has taken the visitor over from a leaver", "接手离职人员的客户"),
        "given": ("was given the visitor", "由经理分配到客户"),
        "none": ("plays no part", "不涉及"),
    },
    "claimant": {"free": ("free", "有空"), "busy": ("busy", "正忙"), "away": ("away", "不在")},
    "entrusted": {
        "yes": ("a colleague entrusted with the visitor is free", "有可接待的受托人"),
        "no": ("nobody entrusted with the visitor is free", "没有可接待的受托人"),
    },
    "as": {
        "turn": ("by turn", "按轮次接待"),
        "make_up": ("as a make-up", "补接"),
        "named": ("as the one asked for by name", "被点名接待"),
        "inviter": ("as the one who had invited", "作为邀约人接待"),
        "referrer": ("as the client's consultant", "作为老客户的顾问接待"),
        "owner": ("as the owner", "作为归属人接待"),
        "stand_in": ("in a colleague's stead", "代同事接待"),
        "support": ("in support of the other team", "支援另一组接待"),
        "duty": ("on duty", "值班接待"),
        "set_aside": ("with the order set aside", "打破次序接待"),
    },
    "visitor": {
        "new": ("a new visitor", "新客户"),
        "own": ("an earlier visitor of one's own who has not bought", "本人未成交的老客户"),
        "own_bought": ("an earlier visitor of one's own who has bought", "本人已成交的老客户"),
        "others": ("a colleague's visitor who has not bought", "同事未成交的客户"),
        "others_bought": ("a colleague's visitor who has bought", "同事已成交的客户"),
        "referred": ("a new visitor brought by a client", "老客户带来的新客户"),
        "again_today": ("a new visitor of today who comes once more", "当日再次到访的新客户"),
    },
    "channel": CHANNEL,
    "in_turn": {
        "yes": ("it was the receiver's turn anyway", "正好轮到接待人"),
        "no": ("it was not the receiver's turn", "没有轮到接待人"),
    },
    "appointment": {"yes": ("by appointment", "有预约"), "no": ("without an appointment", "没有预约")},
    "purpose": {
        "buy": ("a buyer", "购房客户"),
        "ask_for_friend": ("somebody asking for a friend", "替亲友咨询的"),
        "research": ("a market researcher", "市调人员"),
        "directions": ("somebody asking the way", "问路的"),
        "internal": ("the company's own people or partners", "本公司或合作单位人员"),
        "competitor": ("a competitor", "同行"),
        "builder": ("a builder", "施工单位"),
        "advertiser": ("an advertiser", "广告商"),
        "press": ("the press", "媒体"),
        "sales_call": ("a sales caller", "推销的"),
        "leaflet": ("a leaflet-taker", "索取资料的"),
        "other_business": ("somebody with other business", "来办其他事的"),
    },
    "known": {
        "at_start": ("said at once", "一来就说明"),
        "early": ("found out early", "及早识破"),
        "by_end": ("known by the end", "接待结束时才知道"),
    },
    "short": {"yes": ("a short look only", "只作短暂了解"), "no": ("more than a short look", "不止短暂了解")},
    "turns.revealed/owner": {
        "self": ("the receiver turns out to own the visitor", "原来就是接待人本人的客户"),
        "present": ("the owner is on the floor", "归属人在场"),
        "entrusted": ("the owner can't come but a colleague entrusted can", "归属人不能接待而受托同事可以"),
        "not_reached": ("neither the owner nor anybody entrusted can come", "归属人和受托人都不能接待"),
    },
    "in_time": {
        "yes": ("recognised within the time set for it", "在期限内认出"),
        "no": ("recognised later than that", "超过期限才认出"),
    },
    "away": {
        "approved_business": ("out on approved business", "经批准因公外出"),
        "private": ("out for private reasons", "因私外出"),
        "leave": ("on leave", "请假"),
        "task": ("off on a task of the office", "另有工作安排"),
    },
    "what": {
        "picking": ("picking visitors", "挑选客户"),
        "refusing": ("refusing a visitor", "拒接客户"),
        "neglect": ("neglecting a visitor", "怠慢客户"),
        "grabbing": ("grabbing a visitor out of turn", "抢接客户"),
        "wrong_order": ("receiving in the wrong order", "不按次序接待"),
        "door_duty_skipped": ("skipping or leaving door duty", "站岗缺岗或离岗"),
        "no_form": ("not handing in a form", "未按时交表"),
        "not_marked": ("not marking an assignment", "未在轮次表上标记"),
        "register_not_filled": ("not filling in the register", "未填写登记本"),
        "records_lost": ("losing records or leaving them incomplete", "客户资料丢失或不全"),
        "false_record": ("an untrue record", "登记不实"),
        "quarrel": ("a quarrel", "争吵"),
    },
}
"""By condition, or by table and condition where tables mean different things by it."""

TURN_GROUPS: dict[str, dict[frozenset[str], Words]] = {
    "visitor": {
        frozenset({"own", "own_bought", "others", "others_bought", "again_today"}): (
            "somebody who has been here before",
            "来过的客户（含当日再次到访的）",
        ),
        frozenset({"own", "own_bought", "others", "others_bought"}): (
            "an earlier visitor (one's own or a colleague's)",
            "老客户（本人或同事的）",
        ),
        frozenset({"own", "own_bought"}): ("an earlier visitor of one's own", "本人的老客户"),
        frozenset({"others", "others_bought"}): ("a colleague's visitor", "同事的客户"),
        frozenset({"new", "referred"}): ("a new visitor (also one brought by a client)", "新客户（含老客户带来的）"),
    },
    "as": {
        frozenset({"named", "inviter", "referrer", "owner"}): (
            "as the one asked for, the one who had invited, the client's consultant or the owner",
            "被点名或作为邀约人、老客户的顾问、归属人接待",
        ),
    },
}
"""Codes that have one word when they stand together; the larger come first."""

MAKE_UP: dict[str, Words] = {
    "none": ("no make-up", "不补接"),
    "one": ("one make-up", "补接一次"),
    "first": ("one make-up before all others", "优先补接一次"),
}

TURN_EFFECTS: dict[str, dict[str, Words]] = {
    "who": {
        "claimant": ("that consultant receives", "由该顾问接待"),
        "entrusted": ("the colleague entrusted receives", "由受托同事代接"),
        "next": ("the next in line who is free stands in", "由下一位有空的人代接"),
        "last": ("the last in line who is free stands in", "由排在最后且有空的人代接"),
        "supervisor": (
            "the supervisor stands in, or else the next in line who is free",
            "由主管代接，主管不便的由下一位有空的人代接",
        ),
        "line": (
            "nobody stands in: whoever else has a claim is asked, then the line",
            "不代接，先看客户与其他顾问的关系，没有的按轮次接待",
        ),
    },
    "turns.counts/turn": {"taken": ("one turn", "占一个轮次"), "none": ("no turn", "不占轮次")},
    "place": {
        "keep": ("place kept", "位置不变"),
        "end": ("to the end of the line", "排到末位"),
        "front": ("the place at the front given back", "退回首位"),
        "owes_pass": ("passed over once at the next turn", "下次轮到时轮空一次"),
    },
    "make_up": MAKE_UP,
    "turns.purpose/turn": {
        "counts": ("counts as any reception does", "照常计轮次"),
        "given_back": ("no turn, the place given back", "不占轮次，退回原位"),
        "make_up": ("no turn, one make-up", "不占轮次，补接一次"),
        "last_receives": ("the last in line receives, at no turn", "由排在最后的人接待，不占轮次"),
    },
    "receives": {
        "owner": ("handed to the owner", "交给归属人接待"),
        "entrusted": ("handed to the colleague entrusted", "交给受托同事接待"),
        "stays": ("the receiver goes on", "由原接待人接待到底"),
    },
    "turns.revealed/turn": {
        "counts": ("the receiver's turn counts as before", "接待人照常计轮次"),
        "given_back": ("the receiver's turn and place given back", "接待人不占轮次，退回原位"),
        "make_up": ("no turn for the receiver, one make-up", "接待人不占轮次，补接一次"),
        "make_up_first": (
            "no turn for the receiver, one make-up before all others",
            "接待人不占轮次，优先补接一次",
        ),
    },
    "day": {"goes_on": ("further turns that day", "当日仍可轮排"), "lost": ("no more turns that day", "当日不再轮排")},
    "warning": {"yes": ("a warning", "警告一次"), "no": ("no warning", "不警告")},
    "rounds": {
        "same": ("rounds counted as usual", "轮次照常计算"),
        "double": ("two rounds count as one from then on", "此后两轮只算一轮"),
    },
}

TURN_NUMBERS: dict[str, tuple[Words, Words, Words]] = {
    "fine_yuan": (("no fine", "不罚款"), ("a fine of 1 yuan", "罚款1元"), ("a fine of {} yuan", "罚款{}元")),
    "suspended_days": (
        ("no suspension", "不停接"),
        ("suspended for 1 day", "停接1天"),
        ("suspended for {} days", "停接{}天"),
    ),
}
"""Effects that are numbers: the words for nought, for one and for more."""

NEUTRAL = {"fine_yuan": "0", "suspended_days": "0", "warning": "no", "rounds": "same", "day": "goes_on"}
"""Effects by which nothing happens; they are said only where nothing else is."""

TURN_VALUES: dict[str, dict[str, Words]] = {
    "turns.order": {
        "sign_in": ("the order of signing in", "签到先后"),
        "numbers": ("fixed numbers", "固定编号"),
        "ranking": ("last month's sales ranking", "上月销售排名"),
        "results": ("the results of the day before", "前一日业绩"),
        "roster": ("a roster agreed beforehand", "事先排定的轮次表"),
    },
    "turns.period": {
        "day": ("a day", "一天"),
        "week": ("a week", "一周"),
        "fortnight": ("two weeks", "两周"),
        "month": ("a month", "一个月"),
        "two_months": ("two months", "两个月"),
    },
    "turns.rosters": {
        "separate": ("one for each", "各排各的"),
        "shared": ("one for both", "合排一张"),
    },
    "turns.teams": {
        "together": ("all stand in the same line", "全员同排"),
        "channels_alternate": (
            "one takes visits, one takes calls, and they swap daily",
            "一组接访、一组接电，逐日轮换",
        ),
        "halves": ("one half is on site, one half is out, and they swap daily", "一半在场、一半外出，逐日轮换"),
    },
    "turns.passed_while_busy": {
        "make_up": ("moved to the end, with one make-up", "排到末位，给予补接"),
        "end": ("moved to the end, with no make-up", "排到末位，不补接"),
        "keep": ("keeps the place", "位置保留"),
    },
    "turns.when_absent": {
        "forfeit_after_grace": ("the turn is lost once the grace is over", "宽限一过即轮空"),
        "next_at_once": (
            "the next receives at once; the turn is lost only once the grace is over",
            "由下一位先接，超过宽限才轮空",
        ),
    },
    "turns.when_nobody_is_free": {
        "nobody": ("nobody is assigned", "暂不指派"),
        "other_team": ("the other team supports", "由另一组支援"),
        "set_aside": ("the order is set aside and somebody takes one more", "打破次序，由在场的人兼接"),
    },
}

TURN_NONE: dict[str, Words] = {
    "turns.give_up_after_minutes": ("at any time", "随时可以放弃"),
    "turns.give_ups_before_fine": ("never", "不处罚"),
    "turns.door_minutes": ("none laid down", "没有规定"),
    "turns.duty_until": ("no such hours", "不设"),
    "turns.duty_from": ("no such hours", "不设"),
    "turns.on_duty": ("as many as there are", "不限"),
    "turns.early_knowledge_minutes": ("makes no difference", "不作区分"),
    "turns.short_look_minutes": ("makes no difference", "不作区分"),
    "turns.recognised_within_minutes": ("no limit", "不限"),
    "turns.large_party": ("no helpers", "不加派"),
    "turns.call_conversion_percent": ("not looked at", "不考核"),
    "discipline.warnings_before_fine": ("no such fine", "不因此罚款"),
}
"""What `none` means, parameter by parameter."""

TURN_ZERO: dict[str, Words] = {
    "turns.absent_after_minutes": ("no grace", "没有宽限"),
    "turns.give_up_fine_yuan": ("no fine", "不罚款"),
    "turns.give_up_suspended_days": ("no suspension", "不停接"),
    "turns.at_least_waiting": ("none need be", "不作要求"),
    "discipline.warnings_fine_yuan": ("no fine", "不罚款"),
}
"""What nought means."""
