"""Answers about the floor as lines of text in one language: each says one thing, and names the clauses it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime

from application.replay.wording import Language

from . import floor_words as words
from .floor_board import NextLine, OpenLine, PlaceLine
from .floor_teller import EffectLine
from .floor_why import AskedLine, ChoiceLine, PassedLine, StepLine, Why

LATE_SECONDS = 60
"""What was entered so much later than it happened is said to have been."""


class FloorInWords:
    """What there is to say of the floor, in one language; `day`: whose times need no date."""

    def __init__(self, language: Language, day: date) -> None:
        self.english, self.day = language == "en", day

    # Small words

    def word(self, table: Mapping[str, tuple[str, str]], code: str, **filled: object) -> str:
        """The words for a code; the code itself where a later version put one on record that is unknown here."""
        if code not in table:
            return code.replace("_", " ")
        return table[code][0 if self.english else 1].format(**filled)

    def label(self, code: str, **filled: object) -> str:
        return self.word(words.LABELS, code, **filled)

    def time(self, at: datetime) -> str:
        """The time of day; with the date where it is another day's."""
        return f"{at:%H:%M}" if at.date() == self.day else f"{at:%Y-%m-%d %H:%M}"

    def listed(self, parts: Iterable[str]) -> str:
        return (", " if self.english else "、").join(parts)

    def joined(self, parts: Iterable[str]) -> str:
        return ("; " if self.english else "；").join(part for part in parts if part)

    def bracketed(self, text: str) -> str:
        if not text:
            return ""
        return f" ({text})" if self.english else f"（{text}）"

    def sentence(self, text: str) -> str:
        return f"{text[:1].upper()}{text[1:]}." if self.english else f"{text}。"

    def cited(self, clauses: Iterable[str]) -> str:
        """Short ids in square brackets."""
        short = ", ".join(dict.fromkeys(clause.partition("/")[2] or clause for clause in clauses))
        return f" [{short}]" if short else ""

    # How somebody stands

    def state(self, state: str, receptions: Sequence[str], since: datetime | None) -> str:
        """Free, or why not: with whom, and since when."""
        text = self.word(words.STATES, state)
        if receptions:
            code = "helping_with" if state == "helping" else f"with_{state}" if state == "busy_earlier" else "with"
            text = self.label(code, receptions=self.listed(receptions))
        return text + (self.label("since", at=self.time(since)) if since else "")

    def place(self, line: PlaceLine, *, owed: bool = False) -> str:
        """Somebody's state on the board; and what is `owed`, where no table says so."""
        state = "busy_new" if line.may_take_second and line.state == "free" else line.state
        parts = [self.state(state, line.receptions, line.since), self.label("second") if line.may_take_second else ""]
        if line.state == "free" and line.passes > 0:
            parts.append(self.label("to_be_passed"))
        if owed and line.make_ups:
            parts.append(self.label("make_ups_owed", number=line.make_ups))
        return self.joined(parts)

    # Choices

    def how(self, choice: ChoiceLine | NextLine) -> str:
        """What made it this person."""
        text = self.word(
            words.HOW, choice.how, who=choice.staff or "", post=choice.post or "", instead_of=choice.instead_of or ""
        )
        if isinstance(choice, ChoiceLine) and choice.entrusted:
            text = self.joined([text, self.label("entrusted", who=choice.instead_of or "")])
        return text

    def chosen(self, choice: ChoiceLine | NextLine) -> str:
        """Who, and because of what."""
        if choice.staff is None:
            return self.label("nobody_receives", how=self.how(choice))
        return self.label("receives", who=choice.staff, how=self.how(choice))

    def chosen_by(self, choice: ChoiceLine) -> str:
        """The same with the clauses."""
        return self.chosen(choice) + self.cited(choice.clauses)

    def passed(self, one: PassedLine) -> str:
        """Why somebody was passed over."""
        state = self.state(one.reason, one.receptions, one.since)
        return self.joined([self.word(words.AS_ASKED, one.asked_as), state]) if one.asked_as else state

    def passed_over(self, step: StepLine) -> str:
        """Everybody passed over, each with the reason and what it did; empty when nobody was."""
        parts = []
        for one in (one for one in _passed(step) if one.reason != "other_team"):
            did = [self.effect(effect, step.line) for effect in step.effects if effect.staff == one.staff and one.place]
            parts.append(one.staff + self.bracketed(self.joined([self.passed(one), *did])) + self.cited(one.clauses))
        return self.label("passed_over", who=self.listed(dict.fromkeys(parts))) if parts else ""

    # What it did

    def effects(self, step: StepLine) -> list[tuple[str, list[str], tuple[str, ...]]]:
        """What a step did to each person, and by which clauses; also that somebody passed over keeps the place."""
        found: dict[str, list[EffectLine]] = {}
        for effect in step.effects:
            found.setdefault(effect.staff, []).append(effect)
        lines = [
            (staff, [self.effect(one, step.line) for one in done], tuple(c for one in done for c in one.clauses))
            for staff, done in found.items()
        ]
        keeps = self.word(words.EFFECTS, "keeps_place", line=self.word(words.LINES, step.line))
        for one in _passed(step) if step.choice and step.choice.staff else ():
            if one.place and one.staff not in found and one.reason not in ("other_team", "absent"):
                lines.append((one.staff, [keeps], one.clauses))
        return lines

    def effect(self, effect: EffectLine, line: str = "") -> str:
        at = "both" if line == "both" else effect.channel or "visit"
        return self.word(
            words.EFFECTS,
            effect.kind,
            line=self.word(words.LINES, at),
            channel=self.word(words.FOR, effect.channel or "visit"),
            yuan=effect.yuan,
            day=effect.day,
        )

    def effect_lines(self, step: StepLine) -> Iterator[str]:
        """The same, a line a person, of those who were not passed over."""
        passed = {one.staff for one in _passed(step) if one.place}
        for staff, texts, clauses in self.effects(step):
            if staff not in passed:
                yield f"{staff}{': ' if self.english else '：'}{self.joined(texts)}{self.cited(clauses)}"

    # The one who came

    def visitor(self, asked: AskedLine) -> str:
        """Who came, masked, and whose customer that is."""
        if not asked.known and asked.owner is None:
            return self.label("unknown_visitor")
        owner = self.label("nobodys")
        if asked.owner is not None:
            owner = self.label("bought_from" if asked.bought else "customer_of", who=asked.owner)
            if tie := self.word(words.TIES, asked.tie):
                owner += f" {tie}" if self.english else self.bracketed(tie)
        parts = [owner, self.word(words.FOUND_BY, asked.found_by) if asked.found_by else ""]
        name = self._named(asked) if asked.known else ""
        for code, said in (("again_today", asked.again_today), ("as_new", asked.as_new)):
            parts.append(self.label(code) if said else "")
        return self.joined([name, *parts])

    def _named(self, asked: AskedLine) -> str:
        return " ".join(part for part in (asked.visitor, asked.phone) if part) or self.label("unnamed")

    def told(self, asked: AskedLine) -> list[str]:
        """What the desk was told or said."""
        parts = [
            self.label("asks_for", who=asked.asks_for) if asked.asks_for else "",
            self.label("invited_by", who=asked.invited_by) if asked.invited_by else "",
            self._brought(asked) if asked.brought else "",
            self.word(words.PURPOSES, asked.purpose) if asked.purpose else "",
            self.label("appointment") if asked.appointment else "",
            self.label("party", number=asked.party) if asked.party > 1 else "",
            self.label("entrusted_to", who=asked.entrusted_to) if asked.entrusted_to else "",
        ]
        return [part for part in parts if part]

    def _brought(self, asked: AskedLine) -> str:
        client = asked.brought_by or self.label("unnamed")
        if asked.referrer is None:
            return self.label("brought_by", client=client)
        return self.label("brought_by_client_of", client=client, who=asked.referrer)

    # Steps after the first

    def step(self, step: StepLine) -> str:
        """What happened to a reception, in a sentence or two."""
        return _STEPS[step.what](self, step)

    def when(self, step: StepLine) -> str:
        """When it happened; and when it was entered, where that was later."""
        late = (step.known_at - step.at).total_seconds() >= LATE_SECONDS
        return self.time(step.at) + (self.bracketed(self.label("entered", at=self.time(step.known_at))) if late else "")

    def _opened(self, step: StepLine) -> str:
        assert step.choice is not None
        return self.chosen_by(step.choice)

    def _absent(self, step: StepLine) -> str:
        assert step.choice is not None
        gone = self.word(words.HAPPENED, "absent", before=step.before or "")
        return self.joined([gone, self.chosen_by(step.choice)])

    def _handed_over(self, step: StepLine) -> str:
        assert step.choice is not None
        by = step.by or self.label("the_office")
        text = self.word(words.HAPPENED, "handed_over", by=by, who=step.choice.staff or "", before=step.before or "")
        return text + self.cited(step.choice.clauses)

    def _recognised(self, step: StepLine) -> str:
        assert step.asked is not None
        text = self.label("recognised", visitor=self.visitor(step.asked))
        if step.choice is not None:
            return self.joined([text, self.chosen_by(step.choice)])
        goes_on = self.label("goes_on", who=step.before or "")
        if step.asked.owner is None:
            return self.joined([text, goes_on])
        late = "" if step.in_time else self.label("too_late")
        turn = self.word(words.TURN, step.turn or "counts", who=step.before or "")
        return self.joined([text, late, goes_on, turn]) + self.cited(step.clauses)

    def _helped(self, step: StepLine) -> str:
        return self.word(words.HAPPENED, "helped", who=self.listed(step.joined))

    def _unanswered(self, step: StepLine) -> str:
        return self.joined([self.word(words.HAPPENED, "unanswered"), self.label("no_turn", who=step.before or "")])

    def _finished(self, step: StepLine) -> str:
        visitor = self.label("it_was", visitor=self._named(step.asked)) if step.asked and step.asked.known else ""
        over = self.word(words.HAPPENED, "finished")
        return self.joined([over, visitor, self.verdict(step)]) + self.cited(step.clauses)

    def verdict(self, step: StepLine) -> str:
        """Whether a reception that is over counts, and by what."""
        made_up = step.received_as == "make_up" and not step.counts
        again = any(one.kind.startswith("make_up") for one in step.effects)
        code = "counts" if step.counts else "make_up_served" if made_up and not again else "no_turn"
        reasons = [
            self.label("received_as", how=self.word(words.AS, step.received_as or "turn")),
            self.word(words.STANDINGS, step.standing or "new"),
            self.word(words.PURPOSES, step.purpose or "buy"),
        ]
        if step.revealed not in (None, "counts"):
            reasons.append(self.word(words.TURN, step.revealed or "", who=step.before or ""))
        return self.label(code, who=step.before or "") + self.bracketed(self.joined(reasons))

    # A reception at a glance

    def now(self, why: Why) -> str:
        """Where a reception stands."""
        last = why.steps[-1]
        if why.state == "nobody":
            return self.label("nobody_came")
        if why.state == "open":
            since = next(step.at for step in reversed(why.steps) if step.choice and step.choice.staff != step.before)
            return self.label("is_receiving", who=why.receiver or "", at=self.time(since))
        over = self.label("over", at=self.time(last.at))
        ended = self.verdict(last) if last.what == "finished" else self.label("no_turn", who=why.receiver or "")
        return self.joined([over, ended])

    def open_line(self, line: OpenLine) -> list[str]:
        """The cells of a reception that goes on."""
        channel = self.word(words.CHANNELS, line.channel)
        because = self.word(words.AS, line.because) if line.because else ""
        return [line.reception, channel, line.receiver or "", self.time(line.since), because, self.listed(line.helpers)]


def _passed(step: StepLine) -> list[PassedLine]:
    """Who was passed over for somebody else; not the one of whom the step itself says so."""
    choice = step.choice
    if choice is None:
        return []
    return [one for one in choice.passed if one.staff != choice.staff and one.reason != "did_not_come"]


_STEPS = {
    "opened": FloorInWords._opened,
    "absent": FloorInWords._absent,
    "handed_over": FloorInWords._handed_over,
    "recognised": FloorInWords._recognised,
    "helped": FloorInWords._helped,
    "unanswered": FloorInWords._unanswered,
    "finished": FloorInWords._finished,
}
