"""What documents, comments and docstrings refer to is there; what is not there is named."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.support.project import ROOT
from tests.support.references import complaints, files, headings, references

SIGN = "\N{SECTION SIGN}"
PAGE = "# Page\n\n## Rate limits\n\n```sh\n# no heading\n```\n"


def planted(root: Path, contents: dict[str, str]) -> list[str]:
    """What is said about a small project of these files and a page."""
    for name, text in {"docs/page.md": PAGE, **contents}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return complaints(root)


def test_references_all_resolve() -> None:
    assert complaints(ROOT) == []


def test_references_of_code_and_documents_are_found() -> None:
    found = Counter(reference.path.partition("/")[0] for reference in references(ROOT))

    assert found["bot"] > 50
    assert found["tests"] > 10
    assert found["docs"] > 50
    assert found["README.md"] > 5


def test_headings_of_a_document_are_unique() -> None:
    for path in (path for path in files(ROOT) if path.parent == ROOT / "docs"):
        prose = path.read_text(encoding="utf-8").splitlines()
        assert len(headings(path)) == sum(line.startswith("#") for line in prose), path.name


WRONG = {
    "a link to no file": ({"README.md": "[x](docs/none.md)"}, "README.md:1 refers to docs/none.md"),
    "a link to no heading": (
        {"README.md": "\n[x](docs/page.md#none)"},
        "README.md:2 refers to docs/page.md#none",
    ),
    "a link within a page to no heading": (
        {"docs/other.md": "# Other\n\n[x](#rate-limits)"},
        "docs/other.md:3 refers to #rate-limits",
    ),
    "a link over two lines": (
        {"README.md": "[a\nb](docs/none.md)"},
        "README.md:2 refers to docs/none.md",
    ),
    "a link to a comment in a code block": (
        {"README.md": "[x](docs/page.md#no-heading)"},
        "README.md:1 refers to docs/page.md#no-heading",
    ),
    "a mention in a document": (
        {"README.md": "See `docs/none.md`."},
        "README.md:1 refers to docs/none.md",
    ),
    "a path of code in a document": (
        {"docs/other.md": "It is done in `bot/none.py`."},
        "docs/other.md:1 refers to bot/none.py",
    ),
    "a comment": (
        {"bot/x.py": "LIMIT = 1  # why (docs/none.md#limits)\n"},
        "bot/x.py:1 refers to docs/none.md#limits",
    ),
    "a docstring": (
        {"bot/x.py": '"""Waits.\n\nWhy: docs/page.md#none.\n"""\n'},
        "bot/x.py:3 refers to docs/page.md#none",
    ),
    "what stands under a name": (
        {"bot/x.py": 'LIMIT = 1\n"""Why: docs/page.md#none."""\n'},
        "bot/x.py:2 refers to docs/page.md#none",
    ),
    "a document without a folder": (
        {"bot/x.py": "# as in peers.md\n"},
        "bot/x.py:1 refers to peers.md",
    ),
    "a section by its number": (
        {"bot/x.py": f"# as in the design {SIGN}4.1\n"},
        f"bot/x.py:1 refers to {SIGN}4.1",
    ),
    "a document that was never here": (
        {"deploy/x.yaml": "# as in slack-" + "facts\n"},
        "deploy/x.yaml:1 refers to slack-" + "facts",
    ),
}


@pytest.mark.parametrize(("contents", "said"), WRONG.values(), ids=list(WRONG))
def test_unresolved_reference_is_named(tmp_path: Path, contents: dict[str, str], said: str) -> None:
    assert planted(tmp_path, contents) == [said]


RIGHT = {
    "a link to a heading": {"README.md": "[x](docs/page.md#rate-limits), [y](docs), [z](#a)\n# A"},
    "a link to a page beside": {"docs/other.md": "[x](page.md#rate-limits)"},
    "an address": {"README.md": "[x](https://example.com/none.md#y) https://example.com/z.md"},
    "a code block": {"README.md": "```sh\ncat none.md  # [x](none.md)\n```"},
    "a comment": {"bot/x.py": "# docs/page.md#rate-limits, docs/page.md.\n"},
    "a string": {"bot/x.py": "NAME = 'none.md'\n"},
    "what the demo model writes": {"bot/playground/x.md": "[x](none.md)"},
}


@pytest.mark.parametrize("contents", RIGHT.values(), ids=list(RIGHT))
def test_resolved_reference_is_accepted(tmp_path: Path, contents: dict[str, str]) -> None:
    assert planted(tmp_path, contents) == []
