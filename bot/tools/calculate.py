"""Arithmetic without eval: the expression is read as a tree, and only what is known is done."""

from __future__ import annotations

import ast
import warnings

from bot.errors import ToolError
from bot.tools.arithmetic import (
    CONSTANTS,
    FUNCTIONS,
    OPERATORS,
    SIGNS,
    TOO_LARGE,
    Number,
    literal,
    number,
    written,
)
from bot.tools.tool import tool

MAX_LENGTH = 400  # characters
MAX_DEPTH = 200  # levels of the tree; a sum of 200 terms is one of 200 levels

_SIGNS = str.maketrans(
    {"^": "**", "×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "π": "pi"}  # noqa: RUF001  # typed by people
)
_HOW = "write it like (2 + 3) * sqrt(16) / 4**2, without units or thousands separators"


@tool(saying=lambda expression: f"Calculating {expression}")
async def calculate(expression: str) -> str:
    """Calculate an arithmetic expression exactly, or to 15 digits where that can't be.

    expression: numbers with + - * / // % ** and parentheses; pi, e; sqrt, cbrt, exp, ln,
      log(x) or log(x, base), log10, log2, sin, cos, tan and their inverses in radians, degrees,
      radians, abs, floor, ceil, round(x, places), min, max, gcd, lcm, factorial
    """
    return written(evaluate(expression))


def evaluate(expression: str) -> Number:
    """Return the value of an expression; raises ToolError with a sentence about what is wrong."""
    text = " ".join(expression.split()).translate(_SIGNS).rstrip("=? ")
    if not text:
        raise ToolError("There is nothing to calculate.")
    if len(text) > MAX_LENGTH:
        raise ToolError(f"The expression is longer than {MAX_LENGTH} characters.")
    try:
        return _value(_tree(text), text, 0)
    except ZeroDivisionError as error:
        raise ToolError("It divides by zero.") from error
    except OverflowError as error:
        raise ToolError(TOO_LARGE) from error


def _tree(text: str) -> ast.expr:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about "1if", which is refused anyway
            return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise ToolError(f"This is not an arithmetic expression; {_HOW}.") from error


def _value(node: ast.expr, text: str, depth: int) -> Number:
    if depth > MAX_DEPTH:
        raise ToolError("The expression is nested too deeply.")
    match node:
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in OPERATORS:
            pair = _value(left, text, depth + 1), _value(right, text, depth + 1)
            return number(OPERATORS[type(sign)](*pair))
        case ast.UnaryOp(op=sign, operand=operand) if type(sign) in SIGNS:
            return SIGNS[type(sign)](_value(operand, text, depth + 1))
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return number(value) if isinstance(value, int) else _decimal(node, text)
        case ast.Name(id=name) if name.lower() in CONSTANTS:
            return CONSTANTS[name.lower()]
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
            values = tuple(_value(arg, text, depth + 1) for arg in args)
            return _called(name.lower(), values)
        case ast.Name(id=name):
            raise ToolError(f"{name} is not known; there are {', '.join(CONSTANTS)}.")
        case _:
            raise ToolError(f"Only numbers and arithmetic can be calculated; {_HOW}.")


def _decimal(node: ast.expr, text: str) -> Number:
    """The number as it is written: Python has already rounded its own."""
    return literal(ast.get_source_segment(text, node) or "")


def _called(name: str, values: tuple[Number, ...]) -> Number:
    function = FUNCTIONS.get(name)
    if function is None:
        raise ToolError(f"There is no function {name}; there are {', '.join(FUNCTIONS)}.")
    if not function.least <= len(values) <= function.most:
        raise ToolError(f"{name} takes {_count(function.least, function.most)}.")
    try:
        return number(function.call(*values))
    except ValueError as error:
        raise ToolError(f"{name} is not defined for {written(values[0])}.") from error


def _count(least: int, most: int) -> str:
    if least == most:
        return f"{least} argument" + ("s" if least > 1 else "")
    return f"{least} to {most} arguments"
