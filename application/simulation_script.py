"""What the people of a made-up sales floor will do on a day: who comes when and for how long, and what turns up then.

All of it is drawn from the seed before the day is played, so that a seed brings the same days under every rulebook.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Literal

import msgspec

from domain.rules.turn_vocabulary import MISCONDUCTS, PURPOSES
from domain.sales_turn_queue import Channel

MOST_DAYS, MOST_STAFF, MOST_VISITORS = 3660, 200, 200

MINUTE, HOUR = 60, 3600
OPENS, LAST_COMES, CLOSES = 17 * HOUR // 2, 18 * HOUR - 20 * MINUTE, 18 * HOUR
"""Seconds after midnight: 08:30, 17:40, 18:00."""

PEAKS = (21 * HOUR // 2, 15 * HOUR)
"""Around which seven in ten come: 10:30 and 15:00."""

CALLS = 0.35
"""Share of comings that are calls; the shares below are of comings, shifts or days alike."""
RETURNS, ASKS_FOR_LAST, ASKS_FOR_ANYONE = 0.22, 0.25, 0.04
GIVES_PHONE, IS_RECOGNISED = 0.55, 0.25
SAYS_NO_BUYER, FOUND_NO_BUYER = 0.05, 0.09
LEAVES_CONTACT, LEAVES_CONTACT_CALLING = 0.8, 0.6
DOES_NOT_COME, UNANSWERED = 0.04, 0.04
LATE, STEPS_OUT, GIVES_UP, MISBEHAVES = 0.12, 0.4, 0.02, 0.005
DAY_OFF_EVERY = 7

OUTINGS = (*("approved_business",) * 5, *("private",) * 3, "leave", "task")
NO_BUYERS = tuple(purpose for purpose in PURPOSES if purpose != "buy")
SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜"
GIVEN = "安柏晨冬恩帆歌禾嘉可岚铭宁朋清如舒棠唯希雅远芷竹"
NUMBERS_FROM = 13490000000
"""Phones: a block that the numbering plan keeps for satellite terminals, so that nobody's mobile phone is in it."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to simulate. `rulebook`: an id, or a path to a file; `visitors`: per consultant and day; `plain`: everybody
    is there all day, and every visitor is new, anonymous and soon gone."""

    rulebook: str
    days: int
    staff: int
    seed: int
    visitors: int = 8
    plain: bool = False
    amend: Mapping[str, object] = {}


class Outing(msgspec.Struct, frozen=True):
    at: int
    why: str
    seconds: int


class Shift(msgspec.Struct, frozen=True):
    """A consultant's day. `gives_up`: when one would rather not take one's turn, in which line; `misconduct`: when what
    is put on record."""

    arrives: int
    leaves: int
    outing: Outing | None = None
    gives_up: tuple[int, Channel] | None = None
    misconduct: tuple[int, str] | None = None


class Coming(msgspec.Struct, frozen=True, kw_only=True):
    """A party that comes, or calls. Times in seconds: `at` after midnight, the others from then or from the assignment.

    `earlier`: which customer comes again, from 0 (the first) to 1 (the last so far), known `by` a phone given to the
    desk, by being recognised, or by nothing until registered; `asks_for`: the consultant, likewise (of a customer: who
    received him last); `said` and `found`: the purpose told at once, and that which shows in the end.
    """

    at: int
    channel: Channel
    seconds: int
    patience: int
    name: str
    phone: str
    earlier: float | None = None
    by: Literal["phone", "recognising", "nothing"] = "nothing"
    recognised_after: int = 0
    asks_for: float | None = None
    said: str | None = None
    found: str | None = None
    leaves_contact: bool = False
    absent_after: int | None = None
    unanswered: bool = False


class Day(msgspec.Struct, frozen=True):
    """`shifts`: of each consultant, None with the day off."""

    shifts: tuple[Shift | None, ...]
    comings: tuple[Coming, ...]


class Script:
    """Draws one day after the other."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self._random = plan, Random(plan.seed)
        self._comings = 0

    def day(self, number: int) -> Day:
        """The day of that number, from 0; to be asked in order."""
        plan = self.plan
        shifts = tuple(self._shift(number, index) for index in range(plan.staff))
        comings = (self._plain_coming() if plan.plain else self._coming() for _ in range(plan.visitors * plan.staff))
        return Day(shifts, tuple(comings))

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _between(self, least: float, most: float) -> int:
        """Seconds, from minutes."""
        return round(self._random.uniform(least, most) * MINUTE)

    # Consultants

    def _shift(self, number: int, index: int) -> Shift | None:
        arrives, leaves = OPENS - self._between(1, 30), CLOSES + self._between(1, 20)
        if self.plan.plain:
            return Shift(arrives, leaves)
        if self._chance(LATE):
            arrives = OPENS + self._between(5, 120)
        shift = Shift(
            arrives=arrives,
            leaves=leaves,
            outing=self._outing() if self._chance(STEPS_OUT) else None,
            gives_up=(self._moment(), self._channel()) if self._chance(GIVES_UP) else None,
            misconduct=(self._moment(), self._random.choice(MISCONDUCTS)) if self._chance(MISBEHAVES) else None,
        )
        # Days off are staggered, and never are two who follow each other off together.
        return None if (number + index) % DAY_OFF_EVERY == DAY_OFF_EVERY - 1 else shift

    def _outing(self) -> Outing:
        why = self._random.choice(OUTINGS)
        return Outing(self._moment(), why, self._between(10, 40) if why == "private" else self._between(20, 120))

    def _moment(self) -> int:
        return self._random.randint(OPENS + HOUR, CLOSES - 2 * HOUR)

    # Visitors

    def _channel(self) -> Channel:
        return "call" if self._chance(CALLS) else "visit"

    def _comes_at(self) -> int:
        peak = round(self._random.gauss(self._random.choice(PEAKS), 1.2 * HOUR))
        anytime = self._random.randint(OPENS, LAST_COMES)
        return peak if self._chance(0.7) and OPENS <= peak <= LAST_COMES else anytime

    def _known_as(self) -> tuple[str, str]:
        """A made-up name, and a phone of its own."""
        self._comings += 1
        name = self._random.choice(SURNAMES) + self._random.choice(GIVEN) + self._random.choice(GIVEN)
        return name, str(NUMBERS_FROM + self._comings)

    def _plain_coming(self) -> Coming:
        name, phone = self._known_as()
        at, channel, seconds = self._comes_at(), self._channel(), self._between(5, 20)
        patience = self._between(30, 90)
        return Coming(at=at, channel=channel, seconds=seconds, patience=patience, name=name, phone=phone)

    def _coming(self) -> Coming:
        draw, chance = self._random.random, self._chance
        name, phone = self._known_as()
        channel = self._channel()
        calls = channel == "call"
        seconds = self._between(2, 15) if calls else round(self._random.triangular(8, 90, 30) * MINUTE)
        returns, says, finds = chance(RETURNS), chance(SAYS_NO_BUYER), chance(FOUND_NO_BUYER)
        known, purpose, whom = draw(), self._random.choice(NO_BUYERS), draw()
        if (says or finds) and not returns:
            seconds = min(seconds, self._between(1, 12))
        return Coming(
            at=self._comes_at(),
            channel=channel,
            seconds=seconds,
            patience=self._between(3, 10) if calls else self._between(20, 60),
            name=name,
            phone=phone,
            earlier=draw() if returns else None,
            by="phone" if known < GIVES_PHONE else "recognising" if known < GIVES_PHONE + IS_RECOGNISED else "nothing",
            recognised_after=round(seconds * self._random.uniform(0.05, 0.9)),
            asks_for=whom if chance(ASKS_FOR_LAST if returns else ASKS_FOR_ANYONE) else None,
            said=purpose if says and not returns else None,
            found=purpose if finds and not says and not returns else None,
            leaves_contact=chance(LEAVES_CONTACT_CALLING if calls else LEAVES_CONTACT) and not (says or finds),
            absent_after=self._between(0.5, 7) if chance(DOES_NOT_COME) else None,
            unanswered=chance(UNANSWERED) and calls,
        )
