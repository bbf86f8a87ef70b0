"""HTML taken apart by the standard library, so that tests speak of elements and not of strings."""

from __future__ import annotations

from html.parser import HTMLParser


class ParsedHtml(HTMLParser):
    """The elements of a piece of HTML in order, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep an element."""
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Keep text."""
        self.text += data

    @property
    def tags(self) -> list[str]:
        """Names of the elements in order."""
        return [name for name, _ in self.elements]

    @property
    def links(self) -> list[str]:
        """Where the links lead."""
        return [attributes["href"] or "" for name, attributes in self.elements if name == "a"]

    def first(self, tag: str) -> dict[str, str | None]:
        """The attributes of the first such element."""
        return next(attributes for name, attributes in self.elements if name == tag)
