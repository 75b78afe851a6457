"""Inline SVG: a tree of elements, escaped where it becomes text."""

from xml.etree import ElementTree

from markupsafe import Markup

__all__ = ["Element", "figure", "group", "line", "path", "rect", "strip", "text"]

Element = ElementTree.Element


def _element(name: str, *inside: Element | str, **attributes) -> Element:
    """An element; ``class_`` and ``stroke_width`` become ``class`` and ``stroke-width``."""
    made = Element(name, {
        key.rstrip("_").replace("_", "-"): f"{value:.6g}" if isinstance(value, float)
        else str(value)
        for key, value in attributes.items() if value is not None
    })  # fmt: skip
    for part in inside:
        if isinstance(part, str):
            made.text = (made.text or "") + part
        else:
            made.append(part)
    return made


def figure(width: float, height: float, title: str, description: str, *inside, name: str) -> Markup:
    """A whole picture; readers that do not see it are told ``title`` and ``description``.

    ``name`` is unique in the page.
    """
    root = _element(
        "svg", _element("title", title, id=f"{name}-title"),
        _element("desc", description, id=f"{name}-desc"), *inside,
        viewBox=f"0 0 {width:g} {height:g}", width=width, height=height, role="img",
        aria_labelledby=f"{name}-title {name}-desc", class_="figure",
    )  # fmt: skip
    return Markup(ElementTree.tostring(root, encoding="unicode", short_empty_elements=False))


def strip(*inside: Element) -> Markup:
    """A picture of 100 by 1 that stretches with its place and is hidden from those who listen."""
    root = _element(
        "svg", *inside, viewBox="0 0 100 1", preserveAspectRatio="none", class_="bar",
        aria_hidden="true", focusable="false",
    )  # fmt: skip
    return Markup(ElementTree.tostring(root, encoding="unicode", short_empty_elements=False))


def group(*inside: Element, class_: str | None = None) -> Element:
    return _element("g", *inside, class_=class_)


def rect(x: float, y: float, width: float, height: float, class_: str, **more) -> Element:
    return _element(
        "rect", x=float(x), y=float(y), width=float(width), height=float(height), class_=class_,
        **more,
    )  # fmt: skip


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Element:
    return _element(
        "line", x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2), class_=class_
    )  # fmt: skip


def path(steps: str, class_: str) -> Element:
    return _element("path", d=steps, class_=class_)


def text(x: float, y: float, words: str, class_: str, *, turned: bool = False) -> Element:
    """Words at a point; ``turned`` reads upwards."""
    turn = f"rotate(-90 {x:g} {y:g})" if turned else None
    return _element("text", words, x=float(x), y=float(y), class_=class_, transform=turn)
