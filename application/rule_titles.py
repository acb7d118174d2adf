"""The rules that clauses of rulebooks stand for, by number, with a short title each: English, then Chinese.

The numbers are those of the product's list of rules; their areas are T turn queue, A attribution, C commission,
D discipline and assessment. Q5 is there because clauses on rulings stand for it.
"""

from __future__ import annotations

import re

from domain.refusals import Refusal

Words = tuple[str, str]

AREAS: dict[str, Words] = {
    "T": ("Turn queue", "轮排"),
    "A": ("Attribution", "客户归属"),
    "C": ("Commission", "佣金"),
    "D": ("Discipline and assessment", "纪律与考核"),
    "Q": ("Reports", "报表"),
}

RULES: dict[str, Words] = {
    "T1": ("Order by sign-in", "按签到先后排序"),
    "T2": ("Fixed numbers, cycled daily", "固定编号，每日循环"),
    "T3": ("Order by ranking or results", "按业绩排名排序"),
    "T4": ("A roster for a day or a period", "排定的轮次表"),
    "T5": ("Turns carry over to the next day", "轮次延续到次日"),
    "T6": ("Teams alternate by day", "分组逐日轮换"),
    "T7": ("Separate rosters for calls and visits", "来电、来访分开排"),
    "T8": ("Posts A and B", "A、B岗"),
    "T9": ("Door duty", "站岗"),
    "T10": ("Who may take a turn", "谁能参加轮排"),
    "T11": ("A second visitor before the first has left", "未送走客户又接一组"),
    "T12": ("Absent when called", "轮到而不在"),
    "T13": ("Off the floor when the turn comes", "轮到时外出或请假"),
    "T14": ("Outside one's hours; coming back", "上班时间以外的接待；归队"),
    "T15": ("How many must be waiting; support", "最少等候人数与支援"),
    "T16": ("Duty hours", "值班时间"),
    "T17": ("Everybody busy; large parties", "人人都忙；大组客户"),
    "T18": ("A new visitor", "新客户"),
    "T19": ("One's own earlier visitor, not bought", "本人未成交的老客户"),
    "T20": ("One's own earlier visitor who has bought", "本人已成交的老客户"),
    "T21": ("Passed while busy with an earlier visitor or helping", "接待老客户或协助成交时错过轮次"),
    "T22": ("Standing in for a colleague", "代同事接待"),
    "T23": ("A consultant asked for by name", "客户点名"),
    "T24": ("A visitor brought by a client: the turn", "老客户带来的客户：轮次"),
    "T25": ("Not a buyer", "非购房者"),
    "T26": ("The same new visitor several times in a day", "新客户一日多次到访"),
    "T27": ("Which calls are turns", "哪些来电算轮次"),
    "T28": ("Appointments", "预约客户"),
    "T29": ("Giving up a turn", "放弃轮次"),
    "T30": ("Media day", "媒体开放日"),
    "T31": ("Picking, refusing, neglecting, grabbing, wrong order", "挑客、拒接、怠慢、抢接、乱序"),
    "T32": ("Conversion of calls", "来电转成率"),
    "T33": ("A colleague's visitor received unknowingly", "误接同事客户"),
    "T34": ("The greeter of the quarter hour", "按时段迎宾者接待"),
    "T35": ("The first day's order is kept", "沿用首日次序"),
    "T36": ("Stages of clients and their distribution", "客户分阶段分配"),
    "T37": ("The supervisor changes the order", "主管调整次序"),
    "T38": ("Duty manager and days off", "值班经理与轮休"),
    "T39": ("The desk asks before anyone counts as new", "前台先问是否首访"),
    "T40": ("The operator passes calls on", "总机转接来电"),
    "T43": ("Marks and the visit register", "轮次标记与来访登记"),
    "T44": ("Periodic rotation", "定期轮岗"),
    "T45": ("Only the one in turn approaches visitors", "非轮到者不得上前"),
    "A1": ("First contact owns", "首接为准"),
    "A2": ("When a registration counts", "登记何时有效"),
    "A3": ("Protection and follow-up", "保护期与跟进"),
    "A4": ("How long a claim may be raised", "提出归属主张的期限"),
    "A5": ("Household", "同户亲属"),
    "A6": ("Company buying", "企业购房"),
    "A7": ("Names, phones and buyers that differ", "姓名、电话、买受人不一致"),
    "A8": ("A caller who comes later", "来过电话的客户上门"),
    "A9": ("Named or invited", "点名与邀约客户的归属"),
    "A10": ("Brought by a client: the owner", "老客户带来的客户：归属"),
    "A11": ("A second visit, recognised or not", "再次到访：认出与否"),
    "A12": ("The visitor wants another consultant", "客户要求更换顾问"),
    "A13": ("A consultant leaves", "顾问离职"),
    "A14": ("A stand-in closes", "代接成交"),
    "A15": ("Public leads", "公共线索"),
    "A16": ("The same number in both registers", "公共、个人登记本同号"),
    "A17": ("New, or cannot say whom he saw", "新客户或说不出接待人"),
    "A19": ("Who need not be registered", "无须登记的来访"),
    "C1": ("The owner closes", "归属人成交"),
    "C2": ("A client's referral closed by a colleague", "老客户介绍、同事代接成交"),
    "C3": ("Closed while the first consultant was away", "首接人不在、同事成交"),
    "C4": ("Found out during the reception", "接待中才发现归属"),
    "C5": ("Several received together", "多人共同接待"),
    "C6": ("After a change for bad service", "因服务问题更换顾问后"),
    "C7": ("Exact shares, amounts to the fen", "比例精确，金额到分"),
    "C8": ("A colleague entrusted; agreed shares", "托付同事；约定分佣"),
    "D1": ("Fines and days out", "罚款与停接"),
    "D2": ("Warnings", "警告"),
    "D3": ("Ranking, re-tests, rewards", "排名、重考与奖励"),
    "D4": ("Inspections and feedback", "检查与客户反馈"),
    "D5": ("Customer files; grave violations", "客户资料检查；严重违纪"),
    "Q5": ("Disputes and rulings", "争议与裁定"),
}


def checked(rule: str) -> str:
    """The number as the list has it. Raises Refusal bad_value for a rule that there is not."""
    found = rule.strip().upper()
    if found not in RULES:
        raise Refusal("bad_value", f"{rule!r} is no rule; rules are {_ranges(list(RULES))}")
    return found


def _ranges(rules: list[str]) -> str:
    """T1-T40, T43-T45, and so on."""
    runs: list[list[str]] = []
    for rule in rules:
        if runs and rule == f"{runs[-1][-1][0]}{int(runs[-1][-1][1:]) + 1}":
            runs[-1].append(rule)
        else:
            runs.append([rule])
    return ", ".join(run[0] if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def natural(rule: str) -> tuple[int, str, int]:
    """For sorting: by area in the order of AREAS, then by number (T2 before T10)."""
    area, number = re.fullmatch(r"([A-Z]+)(\d+)", rule).groups()  # type: ignore[union-attr]
    order = list(AREAS)
    return (order.index(area) if area in order else len(order), area, int(number))
