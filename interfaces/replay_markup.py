"""Elements of the replay's page: built as a tree, so that nothing that people typed can ever be taken for markup."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree.ElementTree import Element, tostring

from .replay_words import plain

Content = Element | str | None


def element(tag: str, *content: Content, **attributes: object) -> Element:
    """An element of HTML or SVG. An attribute that is None is left out; `class_` is class, `data_x` is data-x."""
    made = Element(tag)
    for name, value in attributes.items():
        if value is not None:
            made.set(name.removesuffix("_").replace("_", "-"), _attribute(value))
    return add(made, *content)


def add(parent: Element, *content: Content) -> Element:
    """Append elements and text (None is nothing) to an element; gives the element back."""
    for item in content:
        if isinstance(item, Element):
            parent.append(item)
        elif item and len(parent):
            parent[-1].tail = (parent[-1].tail or "") + plain(item)
        elif item:
            parent.text = (parent.text or "") + plain(item)
    return parent


def between(separator: str, items: Iterable[Element]) -> list[Content]:
    """The elements with text between them."""
    content: list[Content] = []
    for item in items:
        content += [separator, item] if content else [item]
    return content


def written(elements: Iterable[Element]) -> str:
    """Elements as HTML; what is SVG in it is also well-formed XML."""
    return "\n".join(tostring(one, encoding="unicode", method="html") for one in elements)


def _attribute(value: object) -> str:
    """A coordinate to a tenth, which is finer than anybody sees; text free of the one sign that HTML leaves as it is
    but XML does not allow."""
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else plain(str(value)).replace("<", "‹")
