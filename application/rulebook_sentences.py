"""Parameters and rows of a rulebook said in words, each as one line, English or Chinese."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from domain.rulebook import AmendmentValue, Edition, Parameter, Row
from domain.rules.specs import ParameterSpec
from domain.rules.vocabulary import PARAMETERS, TABLES
from domain.site import ROLES

from .replay.wording import Language, say
from .rulebook_turn_words import NEUTRAL, TURN_NUMBERS, Words
from .rulebook_words import (
    CONDITIONS,
    EFFECTS,
    EXPLAINING,
    GROUPS,
    LEADS,
    NO_LIMIT,
    NONE,
    PARTS,
    ROLE,
    UNITS,
    UNITS_OF_MEANINGS,
    VALUES,
    ZERO,
)

MANY = 4
"""So many codes are rather said by those that are left out, where these are fewer."""


def words_for(table: Mapping[str, dict[str, Words]], of: str, name: str) -> dict[str, Words]:
    """The words for the codes of a condition or an effect of a table."""
    return table[key] if (key := f"{of}/{name}") in table else table[name]


def short(clause: str) -> str:
    """A clause's id within its rulebook."""
    return clause.partition("/")[2]


def cited(clauses: Sequence[str], language: Language) -> str:
    """The clauses in brackets."""
    return bracketed((", " if language == "en" else "、").join(map(short, clauses)), language)


def bracketed(text: str, language: Language) -> str:
    return f" ({text})" if language == "en" else f"（{text}）"


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


# Parameters


def meaning(name: str, language: Language) -> str:
    """What a parameter is about."""
    spec = PARAMETERS[name]
    text = spec.en if language == "en" else spec.zh
    for unit in UNITS_OF_MEANINGS:
        text = text.replace(unit, "")
    return text


def parameter_in_words(parameter: Parameter, language: Language) -> str:
    """Meaning and value."""
    colon = ": " if language == "en" else "："
    return f"{meaning(parameter.name, language)}{colon}{value_in_words(parameter.name, parameter.value, language)}"


def value_in_words(name: str, value: AmendmentValue, language: Language) -> str:
    """A value as people say it: a code in words, a number with its unit, `none` as what it means there."""
    if value is None:
        return _one(NONE.get(name, NO_LIMIT), language)
    if isinstance(value, bool):
        return _one(("yes", "是") if value else ("no", "否"), language)
    if isinstance(value, int):
        return _number(name, value, language)
    words = value_words(name, PARAMETERS[name])
    if isinstance(value, list):
        said = [say(words, code, language) for code in value]
        return (", " if language == "en" else "、").join(said) or _one(("none", "无"), language)
    return say(words, value, language) if words else value


def value_words(name: str, spec: ParameterSpec) -> dict[str, Words]:
    """The words for the codes that a parameter may hold; none for a time of day."""
    return ROLE if spec.codes == ROLES else VALUES.get(name, {})


def _number(name: str, number: int, language: Language) -> str:
    if number == 0 and name in ZERO:
        return _one(ZERO[name], language)
    one, more = next((words for end, words in UNITS.items() if name.endswith(end)), (("1", "1"), ("{}", "{}")))
    return _one(one if number == 1 else more, language).format(number)


# Rows


def row_in_words(edition: Edition, table: str, row: Row, language: Language) -> str:
    """The case, an arrow, and how it is treated."""
    cases = (_condition(edition, table, row, name, language) for name in TABLES[table].conditions)
    case = ("; " if language == "en" else "；").join(one for one in cases if one)
    if not case:
        others = row.otherwise and len(edition.tables[table].rows) > 1
        case = _one(("in every other case", "其他情形") if others else ("in every case", "任何情形"), language)
    return f"{case} → {_effects(table, row.then, language)}"


def _condition(edition: Edition, table: str, row: Row, name: str, language: Language) -> str:
    """What a row asks of a condition; nothing where it asks nothing."""
    said = [_codes(table, name, row.when[name], language)] if name in row.when else []
    said += [_listed(edition, places[name], places is row.within, language)
             for places in (row.within, row.outside) if name in places]  # fmt: skip
    return ("; " if language == "en" else "；").join(said)


def _codes(table: str, name: str, codes: Sequence[str], language: Language) -> str:
    """The codes of a condition, or those left out where they are fewer; nothing where it admits all."""
    words, allowed = words_for(CONDITIONS, table, name), TABLES[table].conditions[name]
    left_out = [code for code in allowed if code not in codes]
    if not left_out:
        return ""
    lead = _one(LEADS.get(name, ("", "")), language)
    if any(group <= set(codes) for group in GROUPS.get(name, {})) or not (
        len(codes) >= MANY and len(left_out) < len(codes) and "none" not in left_out
    ):
        return lead + _alternatives(_grouped(name, codes, words), language)
    rest = _alternatives(_grouped(name, left_out, words), language)
    return f"{lead}other than {rest}" if language == "en" else f"{lead}除{rest}以外"


def _grouped(name: str, codes: Sequence[str], words: Mapping[str, Words]) -> list[Words]:
    """The words for codes, those first that have one word together."""
    said, left = [], list(codes)
    for group, together in GROUPS.get(name, {}).items():
        if group <= set(left):
            said.append(together)
            left = [code for code in left if code not in group]
    return [*said, *(words[code] for code in left)]


def _alternatives(options: Sequence[Words], language: Language) -> str:
    said = [_one(option, language) for option in options]
    comma, last = (", ", " or ") if language == "en" else ("、", "或")
    return last.join([comma.join(said[:-1]), said[-1]]) if len(said) > 1 else said[0]


def _listed(edition: Edition, parameter: str, inside: bool, language: Language) -> str:
    """That something is, or is not, among what a parameter lists."""
    value = edition.parameters[parameter].value if parameter in edition.parameters else []
    words, values = meaning(parameter, language), value_in_words(parameter, value, language)
    if language == "en":
        return f"{'one' if inside else 'none'} of the {words} ({values})"
    return f"{'属于' if inside else '不属于'}{words}（{values}）"


def _effects(table: str, then: Mapping[str, str], language: Language) -> str:
    plain = {name: code for name, code in then.items() if name not in EXPLAINING}
    telling = {name: code for name, code in plain.items() if NEUTRAL.get(name) != code} or plain
    said = (", " if language == "en" else "，").join(_effect(table, *effect, language) for effect in telling.items())
    why = [_effect(table, name, code, language) for name, code in then.items() if name in EXPLAINING]
    return (": " if language == "en" else "：").join([said, *why])


def _effect(table: str, name: str, code: str, language: Language) -> str:
    if name in TURN_NUMBERS:
        words = TURN_NUMBERS[name][min(int(code), 2)]
        return _one(words, language).format(code)
    if name in PARTS:
        return _one(PARTS[name], language).format(code)
    return say(words_for(EFFECTS, table, name), code, language)


def _one(words: Words, language: Language) -> str:
    return words[0 if language == "en" else 1]
