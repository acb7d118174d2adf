"""The words of a simulation's report and picture: in each pair English, then Chinese."""

from __future__ import annotations

Words = tuple[str, str]

HEADINGS: dict[str, Words] = {
    "turns": (
        "Turns (a day: by days present), make-ups, fines (yuan), days suspended",
        "轮次（日均按到岗天数）、补接、罚款（元）、停接天数",
    ),
    "receptions": ("Receptions, by why they were whose", "接待次数（按原因）"),
    "passed_over": ("Passed over in the line, by why", "排队中被越过的次数（按原因）"),
    "over_all": ("Over all", "总计"),
}

COLUMNS: dict[str, Words] = {
    "name": ("consultant", "顾问"),
    "team": ("team", "组"),
    "days_present": ("days", "到岗"),
    "visit": ("visits", "来访"),
    "call": ("calls", "来电"),
    "turns_per_day_present": ("a day", "日均"),
    "granted": ("granted", "应补"),
    "served": ("served", "已补"),
    "owed": ("owed", "待补"),
    "fines_yuan": ("fines", "罚款"),
    "warnings": ("warnings", "警告"),
    "suspended_days": ("suspended", "停接"),
    "all": ("all", "合计"),
}

LINES_OF: dict[str, Words] = {
    "visit": ("visits", "来访"),
    "call": ("calls", "来电"),
    "both": ("visits and calls", "来访与来电"),
}

BECAUSE: dict[str, Words] = {
    "turn": ("turn", "轮到"),
    "make_up": ("make-up", "补接"),
    "owner": ("owner", "归属人"),
    "named": ("asked for", "点名"),
    "inviter": ("inviter", "邀约人"),
    "referrer": ("client's consultant", "老客户的顾问"),
    "stand_in": ("stand-in", "代接"),
    "support": ("support", "支援"),
    "duty": ("on duty", "值班"),
    "set_aside": ("order set aside", "打破次序"),
}

REASONS: dict[str, Words] = {
    "absent": ("not signed in", "未签到"),
    "approved_business": ("out on business", "因公外出"),
    "private": ("out, private", "因私外出"),
    "leave": ("on leave", "请假"),
    "task": ("on a task", "公司任务"),
    "busy_new": ("with a new visitor", "接待新客户"),
    "busy_earlier": ("with an earlier visitor", "接待老客户"),
    "helping": ("helping", "协助成交"),
    "owes_pass": ("owed a pass", "抵扣轮次"),
    "suspended": ("suspended", "停接"),
    "day_lost": ("day lost", "当日取消"),
    "no_calls": ("no calls this month", "本月不接来电"),
    "other_team": ("other team", "另一组"),
    "did_not_come": ("did not come", "叫而未到"),
    "not_reserved": ("not kept for anybody", "不留人"),
    "departed": ("departed", "已离职"),
    "trainee": ("trainee", "实习"),
    "unwell": ("unwell", "身体不适"),
    "resigning": ("resigning", "离职中"),
    "untested": ("not tested", "未过关"),
}

SENTENCES: dict[str, Words] = {
    "title": (
        "Simulation: {rulebook}, {days} days, {staff} consultants, seed {seed}",
        "模拟：{rulebook}，{days}天，{staff}名顾问，种子{seed}",
    ),
    "title_of_one_day": (
        "Simulation: {rulebook}, 1 day, {staff} consultants, seed {seed}",
        "模拟：{rulebook}，1天，{staff}名顾问，种子{seed}",
    ),
    "edition": (
        "{edition}, {first_day} to {last_day}, {visitors} visitors a day for each consultant on the staff list",
        "{edition}，{first_day}至{last_day}，在册顾问人均每天{visitors}位客户",
    ),
    "amended": ("Changed for this run: {amend}", "本次改动：{amend}"),
    "plain": (
        "Plain: everybody is there all day, every visitor is new and anonymous.",
        "简化：全员到岗，客户均为匿名新客户。",
    ),
    "came": (
        "Visitors: {came} came, {received} were received, {not_received} by nobody, {unanswered} calls went unanswered",
        "客户：到访{came}，已接待{received}，无人接待{not_received}，来电未接通{unanswered}",
    ),
    "lead": (
        "Largest lead: {turns} turns, of {ahead} over {behind}, {line}, on {at}; {mean} on an average day",
        "最大领先：{turns}轮，{ahead}领先{behind}（{line}，{at}）；日均最大{mean}",
    ),
    "no_lead": ("Largest lead: none", "最大领先：无"),
    "waits": (
        "Waits: {number}; mean {mean_minutes} minutes, 95 in 100 within {p95_minutes}, longest {longest_minutes}",
        "等候：{number}人次；平均{mean_minutes}分钟，95%不超过{p95_minutes}分钟，最长{longest_minutes}分钟",
    ),
    "receptions": ("Receptions: {counts}", "接待：{counts}"),
    "make_ups": (
        "Make-ups: {granted} granted = {served} served + {owed} still owed",
        "补接：应补{granted} = 已补{served} + 待补{owed}",
    ),
    "make_ups_lost": (
        "Make-ups DO NOT ADD UP: {granted} granted, {served} served, {owed} still owed",
        "补接不平：应补{granted}，已补{served}，待补{owed}",
    ),
    "refusals": ("Commands refused, as they must be: {counts}", "依规被拒的指令：{counts}"),
    "none": ("none", "无"),
    "speed": (
        "days: {days}, receptions: {receptions}, commands: {commands} in {seconds:.1f} s ({rate:.0f} a second)",
        "{days}天，接待{receptions}次，指令{commands}条，用时{seconds:.1f}秒（每秒{rate:.0f}条）",
    ),
    "chart_title": (
        "Turns over time: {rulebook}, {staff} consultants, seed {seed}",
        "累计轮次：{rulebook}，{staff}名顾问，种子{seed}",
    ),
    "chart_desc": (
        "How many turns each of {staff} consultants had taken, from {first_day} to {last_day}. In the end: {totals}.",
        "{first_day}至{last_day}，{staff}名顾问各自的累计轮次。期末：{totals}。",
    ),
    "turns_axis": ("turns taken so far", "累计轮次"),
    "days_axis": ("day", "日期"),
}

BETWEEN: Words = (", ", "，")


def words(pair: Words, language: str) -> str:
    """The one of a pair for a language."""
    return pair[0 if language == "en" else 1]


def sentence(code: str, language: str, **values: object) -> str:
    """A sentence with its values."""
    return words(SENTENCES[code], language).format(**values)
