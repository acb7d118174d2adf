"""A rulebook small enough to be read at a glance, for tests of how rulebooks are put into words. It is not complete, so
it is read as one that was adopted long ago."""

from __future__ import annotations

from application.rulebooks import parse_edition
from domain.rulebook import Edition

TEXT = """
rulebook: small
title: {zh: 小制度, en: Small rules}
office: {zh: 一号售楼处, en: Sales office One}
in_force_from: 2026-01-01
source: a page of our own
clauses:
  - {id: s-1, rules: [T1, T19], source: 第一条, zh: 按签到先后接待。, en: Received by the order of signing in.}
  - {id: s-2, rules: [T19, D1], source: 第二条, zh: 老客户不占轮次。, en: An earlier visitor is no turn.}
  - {id: our-rest, rules: [A5, T29], source: 制度未写明（补充）, zh: 其余照旧。, en: The rest is as ever.}
parameters:
  turns.order: {value: sign_in, clauses: [s-1]}
  turns.absent_after_minutes: {value: 0, clauses: [s-1]}
  turns.give_up_after_minutes: {value: none, clauses: [our-rest]}
  turns.duty_until: {value: "08:00", clauses: [s-1]}
  turns.ab_posts: {value: true, clauses: [s-1]}
  attribution.protection_days: {value: none, clauses: [our-rest]}
  attribution.household: {value: [spouse, parent], clauses: [our-rest]}
  attribution.company: {value: [], clauses: [our-rest]}
tables:
  turns.counts:
    - when: {as: owner, visitor: own}
      then: {turn: none, place: keep, make_up: one}
      clauses: [s-2]
    - when: {channel: visit, visitor: [own_bought, own], as: [turn, owner]}
      then: {turn: none, place: keep, make_up: none}
      clauses: [s-2]
    - otherwise: true
      then: {turn: taken, place: end, make_up: none}
      clauses: [s-1]
  turns.purpose:
    - when: {purpose: [buy, ask_for_friend, research, directions, internal, competitor, builder, advertiser, press]}
      then: {turn: counts}
      clauses: [s-1]
    - when: {purpose: [sales_call, leaflet, other_business], known: [at_start, early, by_end]}
      then: {turn: given_back}
      clauses: [s-1, our-rest]
  turns.passed:
    - when: {away: [private, leave]}
      then: {place: end, make_up: none, fine_yuan: "50", day: lost}
      clauses: [s-1]
    - when: {away: [approved_business, task]}
      then: {place: keep, make_up: first, fine_yuan: "0", day: goes_on}
      clauses: [s-1]
  discipline.misconduct:
    - when: {what: [picking, quarrel]}
      then: {fine_yuan: "20", suspended_days: "1", warning: "yes", rounds: double}
      clauses: [s-2]
    - otherwise: true
      then: {fine_yuan: "0", suspended_days: "0", warning: "no", rounds: same}
      clauses: [s-2]
  attribution.contact:
    - when: {contact: registration, claim: never}
      then: {claim: founds, ground: first_contact}
      clauses: [our-rest]
  attribution.reception:
    - when: {claim: running, by: other}
      then: {claim: stays, reason: owner_keeps}
      clauses: [our-rest]
  attribution.same_customer:
    - when: {link: relation, relation: {in: attribution.company, not_in: attribution.household}}
      then: {customers: one}
      clauses: [our-rest]
  attribution.buyer:
    - otherwise: true
      then: {claim: holds}
      clauses: [our-rest]
  commission.shares:
    - when: {agreed: "no", closer: others, reception: [away, not_reached]}
      then: {shares: split, owner: 1/3, closer: 2/3}
      clauses: [our-rest]
"""
NO_TURNS = """
rulebook: ownership-only
title: {zh: 只管归属, en: Ownership only}
office: {zh: 二号售楼处, en: Sales office Two}
in_force_from: 2026-01-01
source: another page
clauses:
  - {id: o-1, rules: [A3], source: 第三条, zh: 保护七天。, en: Protected for seven days.}
parameters:
  attribution.protection_days: {value: 7, clauses: [o-1]}
tables: {}
"""


def small() -> Edition:
    return parse_edition(TEXT, "small.yaml", adopted=True)


def ownership_only() -> Edition:
    return parse_edition(NO_TURNS, "ownership.yaml", adopted=True)
