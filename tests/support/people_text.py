"""Finds text in the source that people might read, by reading `bot/` with `ast`.

A string constant counts if it has two words side by side, an ellipsis, or is one capitalised word.
Strings that nobody but an operator, a developer or the model reads don't count: docstrings, what
is logged or raised, patterns, and values of an `Enum` that only describe it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.support.layout_rules import Module

_PEOPLE_TEXT = re.compile(r"[A-Za-z']{2,}[,.:;]? [A-Za-z']+|\w…|^[A-Z][a-z]{2,}[.!?:]?$")
_PATTERNS = frozenset({"compile", "fullmatch", "match", "search", "sub", "text"})
_LOG_METHODS = frozenset({"debug", "info", "warning", "error", "exception", "critical"})


@dataclass(frozen=True, slots=True)
class Found:
    """A text, where it stands, and the function or constant that it belongs to."""

    module: str
    owner: str
    line: int
    text: str


def people_text(module: Module) -> Iterator[Found]:
    """The texts of a module that people might read."""
    for statement in module.tree.body:
        for owner, node in _owned(statement, ""):
            for line, text in _texts(node):
                if _PEOPLE_TEXT.search(text):
                    yield Found(module.name, owner, line, text)


def _owned(statement: ast.stmt, outer: str) -> Iterator[tuple[str, ast.AST]]:
    """The statement with the name of what it defines; a class by its own statements."""
    match statement:
        case ast.ClassDef(name=name, bases=bases, body=body):
            if not any(isinstance(base, ast.Name) and "Enum" in base.id for base in bases):
                for one in body:
                    yield from _owned(one, f"{outer}{name}.")
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            yield outer + name, statement
        case ast.Assign(targets=[ast.Name(id=name), *_]) | ast.AnnAssign(target=ast.Name(id=name)):
            yield outer + name, statement
        case ast.Expr(value=ast.Constant()):
            pass  # a docstring
        case _:
            yield outer, statement


def _texts(node: ast.AST) -> Iterator[tuple[int, str]]:
    """The string constants below a node; an f-string is one text with `{}` for its values."""
    match node:
        case ast.Constant(value=str(text), lineno=line):
            yield line, text
        case ast.JoinedStr(values=values, lineno=line):
            yield line, "".join(_part(value) for value in values)
            for value in values:
                if isinstance(value, ast.FormattedValue):
                    yield from _texts(value.value)
        case _:
            for child in ast.iter_child_nodes(node):
                if not _is_unread(node, child):
                    yield from _texts(child)


def _part(value: ast.expr) -> str:
    return str(value.value) if isinstance(value, ast.Constant) else "{}"


def _is_unread(parent: ast.AST, child: ast.AST) -> bool:
    """Whether no text below `child` is read by the people who ask."""
    match child:
        case ast.Expr(value=ast.Constant(value=str())) | ast.Raise() | ast.Assert():
            return True
        case ast.Call(func=ast.Attribute(value=ast.Name(id="log"), attr=attr)):
            return attr in _LOG_METHODS
        case ast.Call(func=ast.Attribute(value=ast.Name(id="re" | "regex"), attr=attr)):
            return attr in _PATTERNS
    match parent:
        case ast.arg() | ast.AnnAssign() | ast.FunctionDef() | ast.AsyncFunctionDef():
            return child in {getattr(parent, "annotation", None), getattr(parent, "returns", None)}
    return False
