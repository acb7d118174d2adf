"""A rulebook as a page that an office manager can read: parameters, cases and clauses in words, English or Chinese."""

from __future__ import annotations

from domain.rulebook import AmendmentValue, Edition, Row
from domain.rules.vocabulary import PARAMETERS, TABLES

from .replay.wording import GROUND, REASON, RELATION, SHARES, VIA, WHAT, Language

CONDITIONS: dict[str, tuple[str, str]] = {
    "contact": ("what happens", "发生的事"),
    "via": ("by way of", "途径"),
    "entry": ("the entry", "登记"),
    "claim": ("the claim at that time", "当时的归属"),
    "by": ("by", "何人"),
    "link": ("what connects them", "关联"),
    "names": ("the names", "姓名"),
    "relation": ("relation", "关系"),
    "proven": ("proven", "是否证实"),
    "buyer": ("the buyer", "买受人"),
    "owner": ("owner", "归属人"),
    "closer": ("who closes", "成交人"),
    "agreed": ("agreement on record", "有无约定"),
    "customers": ("customers", "客户"),
    "ground": ("ground", "理由"),
    "reason": ("because", "原因"),
    "shares": ("commission", "佣金"),
}
CODES: dict[str, tuple[str, str]] = {
    "complete": ("complete", "完整"),
    "incomplete": ("incomplete", "不完整"),
    "clerical": ("made by somebody who does not receive", "由非接待岗位录入"),
    "never": ("none yet", "从未有过"),
    "running": ("running", "保护期内"),
    "lapsed": ("lapsed", "已失效"),
    "bought": ("the visitor has bought", "已成交"),
    "owner": ("the owner", "归属人"),
    "other": ("somebody else", "其他"),
    "same_phone": ("the same phone", "同一电话"),
    "same_name": ("the same name, another phone", "同名不同电话"),
    "same": ("the same", "相同"),
    "unknown": ("not both known", "不全"),
    "yes": ("yes", "是"),
    "no": ("no", "否"),
    "registered": ("is the one registered", "即登记人"),
    "same_customer": ("is one customer with the one registered", "与登记人是同一客户"),
    "present": ("somebody owns", "有归属人"),
    "nobody": ("nobody owns", "无人拥有"),
    "owner_alone": ("the owner alone", "归属人独自"),
    "owner_among": ("the owner with others", "归属人与他人"),
    "others": ("others", "他人"),
    "founds": ("founds the claim", "取得归属"),
    "renews": ("starts the period anew", "保护期重新起算"),
    "stays": ("leaves the claim as it is", "归属不变"),
    "nothing": ("has no effect", "不产生效力"),
    "holds": ("the claim holds", "归属成立"),
    "falls": ("the claim falls", "归属不成立"),
    "one": ("one customer", "同一客户"),
    "different": ("different customers", "不同客户"),
    "relation": ("a relation on record", "登记的关系"),
    "names:other": ("different", "不同"),
    "relation:other": ("other relation", "其他关系"),
    "buyer:other": ("is somebody else", "另有其人"),
    "name": ("name", "姓名"),
    "phone": ("phone", "电话"),
    "consultant": ("consultant", "置业顾问"),
    "manager": ("manager", "经理"),
    "supervisor": ("supervisor", "主管"),
    "desk": ("desk", "前台"),
    "finance": ("finance", "财务"),
    "legal": ("legal", "法务"),
    "officer": ("officer", "专员"),
    "auditor": ("auditor", "审计"),
}


def explain_edition(edition: Edition, language: Language) -> str:
    """The page, as Markdown."""
    english = language == "en"
    since = edition.in_force_from.isoformat()
    lines = [
        f"# {edition.title_en if english else edition.title_zh} ({edition.rulebook})",
        "",
        f"In force from {since}. Source: {edition.source}."
        if english
        else f"自{since}起施行。来源：{edition.source}。",
        "",
        "## Parameters" if english else "## 参数",
        "",
    ]
    for parameter in edition.parameters.values():
        spec = PARAMETERS[parameter.name]
        cited = _cited(edition, parameter.clauses, english)
        meaning = spec.en if english else spec.zh
        lines.append(f"- **{meaning}**: {_value(parameter.value, language)} — {cited} (`{parameter.name}`)")
    for name, table in edition.tables.items():
        lines += ["", f"## {_capital(TABLES[name].en) if english else TABLES[name].zh}", ""]
        for row in table.rows:
            lines.append(f"- {_row(row, language)} — {_cited(edition, row.clauses, english)}")
    lines += ["", "## Clauses" if english else "## 条款", ""]
    for key, clause in edition.clauses.items():
        text = clause.en if english else clause.zh
        lines.append(f"- `{key.partition('/')[2]}` ({', '.join(clause.rules)}; {clause.source}): {text}")
    return "\n".join(lines)


def _row(row: Row, language: Language) -> str:
    english = language == "en"
    joiner = " or " if english else "或"
    when = [
        f"{say(CONDITIONS, name, language)}: {joiner.join(_code(code, language, name) for code in codes)}"
        for name, codes in row.when.items()
    ]
    for places, words in ((row.within, ("is among", "属于")), (row.outside, ("is not among", "不属于"))):
        for name, parameter in places.items():
            spec = PARAMETERS[parameter]
            when.append(
                f"{say(CONDITIONS, name, language)} {words[0]}: {spec.en}"
                if english
                else f"{say(CONDITIONS, name, language)}{words[1]}“{spec.zh}”"
            )
    condition = "; ".join(when) if when else ("in every other case" if english else "其他情形")
    effects = ", ".join(
        _code(code, language, name)
        if name in ("claim", "customers", "shares")
        else f"{say(CONDITIONS, name, language)}: {_code(code, language, name)}"
        for name, code in row.then.items()
    )
    return f"{condition} → {effects}"


def say(table: dict[str, tuple[str, str]], code: str, language: Language) -> str:
    return table[code][0 if language == "en" else 1]


def _code(code: str, language: Language, of: str = "") -> str:
    """The words for a code of a condition or effect, whichever family it is of; a fraction stands for itself."""
    if of == "shares":
        return say(SHARES, code, language)
    if f"{of}:{code}" in CODES:
        return say(CODES, f"{of}:{code}", language)
    for table in (CODES, GROUND, REASON, WHAT, VIA, RELATION):
        if code in table:
            return say(table, code, language)
    return code


def _value(value: AmendmentValue, language: Language) -> str:
    if value is None:
        return "no limit" if language == "en" else "不限"
    if isinstance(value, list):
        words = [_code(code, language) for code in value]
        return ", ".join(words) if words else ("none" if language == "en" else "无")
    return str(value)


def _cited(edition: Edition, clauses: tuple[str, ...], english: bool) -> str:
    sources = [edition.clauses[clause].source for clause in clauses]
    return (", " if english else "、").join(dict.fromkeys(sources))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
