"""A replay told in one language: the headings, lines and phrases that the terminal and the page share, so that both
say the same."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from application.replay.lines import Citation, FactLine, Replay, RivalLine, StepLine, Text
from application.replay.wording import Language, say

LABELS: dict[str, tuple[str, str]] = {
    "replay": ("Replay", "回放"),
    "sale": ("unit {}", "房号 {}"),
    "sale_without_unit": ("a sale without a unit", "未记房号的成交"),
    "dispute": ("dispute {}", "争议 {}"),
    "visitor": ("visitor {}", "客户 {}"),
    "unnamed": ("(name not on record)", "（无姓名）"),
    "office": ("Office", "案场"),
    "about": ("Visitor", "客户"),
    "sold": ("Sale", "成交"),
    "raised": ("Dispute", "争议"),
    "dispute_raised": ("dispute raised", "提出争议"),
    "rules": ("Rulebook", "适用制度"),
    "amended": ("with changed parameters", "参数有改动"),
    "at": ("As it stood at", "截至时点"),
    "known_at": ("By what was known at", "按何时所知"),
    "position": ("Record read up to", "记录读至"),
    "fact": ("fact {}", "第{}条事实"),
    "outcome": ("Outcome", "结论"),
    "owner": ("Owner", "归属人"),
    "nobody": ("nobody", "无人"),
    "ground": ("Ground", "理由"),
    "since": ("since {}", "自{}起"),
    "until": ("Protected", "保护期"),
    "shares": ("Commission", "佣金"),
    "timeline": ("Timeline", "经过"),
    "number": ("No.", "序号"),
    "when": ("When", "时间"),
    "what": ("What happened", "事项"),
    "by": ("By", "何人"),
    "effect": ("Effect on the claim", "对归属的影响"),
    "owner_after": ("Owner after it", "其后归属"),
    "until_after": ("Protected through", "保护至"),
    "clauses": ("Clauses", "条款"),
    "no_limit": ("no limit", "不限期"),
    "by_somebody": ("by {}", "由{}"),
    "entered": ("entered", "补录于"),
    "counts_from_entry": ("counts from then", "自补录起计"),
    "chart": (
        "{count} steps from {first} to {last}, times of {zone}; lanes: {lanes}",
        "{first}至{last}共{count}步，时区 {zone}；各行：{lanes}",
    ),
    "no_effect": ("hollow: no effect", "空心：不产生效力"),
    "protection": ("protected", "保护期"),
    "entered_later": ("entered later", "事后补录"),
    "no_steps": ("Nothing had happened by then.", "截至该时点没有任何记录。"),
    "rivals": ("Why not the others", "他人为何不是归属人"),
    "who": ("Who", "何人"),
    "why_not": ("Why not", "原因"),
    "first_contact": ("first contact", "首次接触"),
    "no_rivals": ("Nobody else has laid claim to the visitor.", "没有其他人主张该客户。"),
    "changes": ("What would have changed the owner", "哪些情况会改变归属"),
    "no_changes": (
        "No single fact, no other length of protection and no follow-up in time would have.",
        "去掉任何一条事实、改变保护期长短或补上及时跟进，归属都不变。",
    ),
    "cited": ("Clauses in full", "条款原文"),
    "facts": ("Facts used", "所据事实"),
    "fact_position": ("No.", "序号"),
    "fact_name": ("Fact", "事实"),
    "happened": ("Happened", "发生"),
    "known": ("Entered", "录入"),
    "recorded": ("In this record", "入库"),
    "recorded_at": ("recorded {}", "入库 {}"),
    "what_if": ("WHAT-IF", "假设推演"),
    "what_if_text": (
        "Replayed under {}; rulings and agreements are left out. Nothing of this is in force.",
        "按 {} 回放，不计裁定与约定；以下结果并不生效。",
    ),
    "ruling": ("RULING", "裁定"),
    "overruling": ("A RULING OVERRIDES THE RULES", "裁定优先于制度"),
    "ruling_text": (
        "{by} ruled at {at}: {reason}. By the rules alone the owner would be {without}.",
        "{by}于{at}裁定：{reason}。仅按制度，归属为{without}。",
    ),
    "entered_as_day": ("no time on record, 18:00 taken", "未记时刻，按18:00计"),
    "closed": ("closed {at} by {by}, commission {yuan}", "{at}由{by}成交，佣金{yuan}"),
    "raised_by": ("{label}: raised by {by} at {at}, {state}", "{label}：{by}于{at}提出，{state}"),
    "ruled": ("ruled on", "已裁定"),
    "open": ("open", "未裁定"),
    "yuan": ("{} yuan", "{}元"),
    "whole": ("all", "全部"),
}
"""Headings and phrases; in each pair English, then Chinese."""

FACTS: dict[str, tuple[str, str]] = {
    "visitor.registered": ("visitor registered", "客户登记"),
    "visitor.followed_up": ("visitor followed up", "客户跟进"),
    "visitor.related": ("relation entered", "关系登记"),
    "visitor.bought": ("visitor bought", "客户成交"),
    "visitor.ruled": ("ruling on the visitor", "客户归属裁定"),
    "visitor.assigned": ("visitor given to a consultant", "客户指派"),
    "visitor.entrusted": ("visitor entrusted to a colleague", "客户托付"),
    "visitor.received": ("visitor received", "客户接待"),
    "sale.recorded": ("sale recorded", "成交登记"),
    "sale.agreed": ("shares agreed", "佣金约定"),
    "sale.ruled": ("ruling on the sale", "成交裁定"),
    "rulebook.adopted": ("rulebook adopted", "制度启用"),
}
"""Words for facts by their stored names, without the version."""

REVERSING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
LATE = timedelta(minutes=1)
"""Somebody at a desk types an entry within seconds; what takes a minute or more was entered afterwards."""


def plain(text: str) -> str:
    """The text without what could steer a terminal, break a page or turn its lines around: blanks and � instead."""
    return "".join(_harmless(character) for character in text)


def _harmless(character: str) -> str:
    if character.isprintable():
        return character
    if character.isspace():
        return " "
    # Zero-width joiners belong to words, private-use characters to rare names.
    kept = unicodedata.category(character) in ("Cf", "Co") and character not in REVERSING
    return character if kept else "\N{REPLACEMENT CHARACTER}"


class ReplayInWords:
    """What there is to say about a replay, in one language."""

    def __init__(self, replay: Replay, language: Language) -> None:
        self.replay, self.language = replay, language
        short = Counter(_short(clause.id) for clause in replay.clauses)
        self._shared = {name for name, times in short.items() if times > 1}
        self._rules = {clause.id: clause.rules for clause in replay.clauses}
        minutes = Counter(at.replace(second=0, microsecond=0) for at in {step.at for step in replay.steps})
        self._seconds = any(times > 1 for times in minutes.values())

    # Small words

    def label(self, code: str, *values: object, **named: object) -> str:
        """The words for a code of LABELS, filled in."""
        return say(LABELS, code, self.language).format(*values, **named)

    def text(self, text: Text) -> str:
        """The one of both."""
        return text.en if self.language == "en" else text.zh

    def sentence(self, text: str) -> str:
        """With a capital and a full stop."""
        return f"{text[:1].upper()}{text[1:]}." if self.language == "en" else f"{text}。"

    def bracketed(self, text: str) -> str:
        return f" ({text})" if self.language == "en" else f"（{text}）"

    def named(self, heading: str, text: str) -> str:
        """A heading and what follows it on the same line."""
        return f"{heading}{': ' if self.language == 'en' else '：'}{text}"

    def joined(self, parts: Iterable[str]) -> str:
        return (", " if self.language == "en" else "，").join(part for part in parts if part)

    def names(self, names: Iterable[str]) -> str:
        return (", " if self.language == "en" else "、").join(names)

    def moment(self, at: datetime) -> str:
        """To the minute; with seconds where they tell something."""
        return f"{at:%Y-%m-%d %H:%M:%S}" if at.second else self.minute(at)

    def minute(self, at: datetime) -> str:
        return f"{at:%Y-%m-%d %H:%M}"

    def time_of_step(self, at: datetime) -> str:
        """To the minute; with seconds where they tell two steps apart."""
        return f"{at:%Y-%m-%d %H:%M:%S}" if self._seconds else self.minute(at)

    def yuan(self, amount: str) -> str:
        return self.label("yuan", amount)

    # The matter and the question

    def title(self) -> str:
        return self.named(self.label("replay"), self.matter())

    def matter(self) -> str:
        """What the replay is about: unit or dispute, and the masked visitor."""
        matter = self.replay.matter
        about = []
        if self.replay.kind == "dispute":
            about += [self.label("dispute", dispute["label"]) for dispute in matter["disputes"]]
        if "sale_id" in matter:
            about.append(self.label("sale", matter["unit"]) if matter["unit"] else self.label("sale_without_unit"))
        return " · ".join([*about, self.label("visitor", matter["visitor"] or self.label("unnamed"))])

    def circumstances(self) -> list[tuple[str, str]]:
        """The office, what is on record about the matter, and from where it is looked at: heading and words."""
        replay, matter = self.replay, self.replay.matter
        visitor = " ".join(part for part in (matter["visitor"], matter["phone"]) if part) or self.label("unnamed")
        lines = [("office", f"{replay.site}{self.bracketed(replay.timezone)}"), ("about", visitor)]
        if "sale_id" in matter:
            lines.append(("sold", self._sale(matter)))
        for dispute in matter["disputes"]:
            state = self.label("ruled" if dispute["ruled"] else "open")
            words = {"label": dispute["label"], "by": dispute["by"], "at": self.moment(dispute["at"]), "state": state}
            lines.append(("raised", self.label("raised_by", **words)))
        lines += [
            ("rules", self._edition()),
            ("at", self.moment(replay.at)),
            ("known_at", self.moment(replay.known_at)),
            ("position", self.label("fact", replay.position)),
        ]
        return [(self.label(code), words) for code, words in lines]

    def _sale(self, matter: dict[str, Any]) -> str:
        at = matter["sold_at"]
        when = f"{at:%Y-%m-%d}{self.bracketed(self.label('entered_as_day'))}" if matter["date_only"] else None
        yuan = self.yuan(matter["commission"])
        return self.label("closed", at=when or self.moment(at), by=self.names(matter["closers"]), yuan=yuan)

    def _edition(self) -> str:
        """The edition that decided; its label ends in a star when parameters were changed."""
        under = self.replay.under
        return f"{under[:-1]}{self.bracketed(self.label('amended'))}" if under.endswith("*") else under

    def banners(self) -> list[tuple[str, str, str]]:
        """What must not be overlooked: kind (what_if, ruling), heading, words."""
        found = []
        if self.replay.what_if:
            found.append(("what_if", self.label("what_if"), self.label("what_if_text", self._edition())))
        if ruling := self.replay.ruling:
            code = "ruling" if ruling.without == self.replay.owner else "overruling"
            without = ruling.without or self.label("nobody")
            reason = ruling.reason.rstrip(".。")
            words = self.label("ruling_text", by=ruling.by, at=self.moment(ruling.at), reason=reason, without=without)
            found.append(("ruling", self.label(code), words))
        return found

    # The answer

    def outcome(self) -> list[tuple[str, list[str]]]:
        """Heading and lines: owner, ground, protection, then shares and amounts of a sale."""
        replay = self.replay
        ground = self.text(replay.ground_text)
        if replay.since:
            ground = self.joined([ground, self.label("since", self.moment(replay.since))])
        lines = [
            ("owner", [replay.owner or self.label("nobody")]),
            ("ground", [ground]),
        ]
        if replay.owner:
            lines.append(("until", [self.text(replay.until_text)]))
        if replay.shares is not None:
            lines.append(("shares", self._shares(replay.shares, replay.amounts or {})))
        return [(self.label(code), words) for code, words in lines]

    def _shares(self, shares: dict[str, str], amounts: dict[str, str]) -> list[str]:
        lines = []
        for name, share in shares.items():
            part = self.label("whole") if share == "1" else share
            lines.append(self.named(name, part) + (f" = {self.yuan(amounts[name])}" if name in amounts else ""))
        if self.replay.shares_text:
            lines.append(self.text(self.replay.shares_text))
        return lines

    # Steps

    def happened(self, step: StepLine) -> str:
        """What happened, with the channel and the masked name."""
        words = self.text(step.what_text)
        if step.what == "adoption":
            return f"{words} {step.edition}"
        who = f" {step.visitor}" if step.visitor else ""
        return f"{words}{who}" + (self.bracketed(self.text(step.detail)) if step.detail else "")

    def entered(self, step: StepLine) -> str | None:
        """When it was entered, if that was later than it happened; and that it counts only from then."""
        lines = self.entered_lines(step)
        return self.joined([" ".join(lines[:2]), *lines[2:]]) or None

    def entered_lines(self, step: StepLine) -> list[str]:
        """The same in short lines; none when it was entered at once."""
        if not step.late and step.known_at - step.at < LATE:
            return []
        lines = [self.label("entered"), self.time_of_step(step.known_at)]
        return [*lines, self.label("counts_from_entry")] if step.late else lines

    def effect(self, step: StepLine) -> str:
        words = self.text(step.effect_text)
        if step.reason_text is None:
            return words
        return self.named(words, self.text(step.reason_text))

    def owner_after(self, step: StepLine) -> str:
        return step.owner or self.label("nobody")

    def until_after(self, step: StepLine) -> str:
        """The last protected day after the step; empty when nobody owns."""
        if not step.protected:
            return ""
        return step.until.isoformat() if step.until else self.label("no_limit")

    def claim_after(self, step: StepLine) -> str:
        """Owner and last protected day after the step."""
        until = self.until_after(step)
        return f"{self.owner_after(step)} → {until}" if until else self.owner_after(step)

    # The rest

    def why_not(self, rival: RivalLine) -> str:
        """The reason, and when the rival first came in."""
        first = f"{self.label('first_contact')} {self.moment(rival.at)}" if rival.at else ""
        return self.text(rival.reason_text) + (self.bracketed(first) if first else "")

    def clause(self, clause_id: str) -> str:
        """Its short id; the whole id where two rulebooks have one of that name."""
        return clause_id if _short(clause_id) in self._shared else _short(clause_id)

    def cited(self, clause_id: str) -> str:
        """Short id and rule numbers, in one word that no line breaks."""
        rules = ",".join(self._rules.get(clause_id, ()))
        return f"{self.clause(clause_id)}({rules})" if rules else self.clause(clause_id)

    def clause_text(self, clause: Citation) -> str:
        return clause.en if self.language == "en" else clause.zh

    def fact(self, line: FactLine) -> str:
        """What kind of fact it is; its stored name where it is of a kind unknown here."""
        name = line.name.rpartition(".v")[0]
        return say(FACTS, name, self.language) if name in FACTS else line.name


def _short(clause_id: str) -> str:
    return clause_id.partition("/")[2] or clause_id
