"""Arithmetic without eval: the syntax tree is walked, and only known nodes are evaluated."""

from __future__ import annotations

import ast
import warnings

from bot.errors import ToolError
from bot.tools.arithmetic import (
    CONSTANTS,
    FUNCTIONS,
    OPERATORS,
    SIGNS,
    TOO_LARGE_MESSAGE,
    Number,
    checked_number,
    format_number,
    parse_literal,
)
from bot.tools.tool import tool
from bot.words import Phrase, sentence

MAX_EXPRESSION_CHARACTERS = 400
MAX_TREE_DEPTH = 200  # a sum of 200 terms has 200 levels

_SIGN_REPLACEMENTS = str.maketrans(
    {"^": "**", "×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "π": "pi"}  # noqa: RUF001  # typed by people
)
_SYNTAX_HINT = "write it like (2 + 3) * sqrt(16) / 4**2, without units or thousands separators"


@tool(status_label=lambda expression: sentence(Phrase.CALCULATING, expression=expression))
async def calculate(expression: str) -> str:
    """Calculate an arithmetic expression exactly, or to 15 digits where that can't be.

    expression: numbers with + - * / // % ** and parentheses; pi, e; sqrt, cbrt, exp, ln,
      log(x) or log(x, base), log10, log2, sin, cos, tan and their inverses in radians, degrees,
      radians, abs, floor, ceil, round(x, places), min, max, gcd, lcm, factorial
    """
    return format_number(evaluate(expression))


def evaluate(expression: str) -> Number:
    """Return the value of an expression; raises ToolError with a sentence for the model."""
    text = " ".join(expression.split()).translate(_SIGN_REPLACEMENTS).rstrip("=? ")
    if not text:
        raise ToolError("There is nothing to calculate.")
    if len(text) > MAX_EXPRESSION_CHARACTERS:
        raise ToolError(f"The expression is longer than {MAX_EXPRESSION_CHARACTERS} characters.")
    try:
        return _evaluate_node(_parse(text), text, 0)
    except ZeroDivisionError as error:
        raise ToolError("It divides by zero.") from error
    except OverflowError as error:
        raise ToolError(TOO_LARGE_MESSAGE) from error


def _parse(text: str) -> ast.expr:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as for "1if", which is refused anyway
            return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise ToolError(f"This is not an arithmetic expression; {_SYNTAX_HINT}.") from error


def _evaluate_node(node: ast.expr, text: str, depth: int) -> Number:
    if depth > MAX_TREE_DEPTH:
        raise ToolError("The expression is nested too deeply.")
    match node:
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in OPERATORS:
            pair = _evaluate_node(left, text, depth + 1), _evaluate_node(right, text, depth + 1)
            return checked_number(OPERATORS[type(sign)](*pair))
        case ast.UnaryOp(op=sign, operand=operand) if type(sign) in SIGNS:
            return SIGNS[type(sign)](_evaluate_node(operand, text, depth + 1))
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return checked_number(value) if isinstance(value, int) else _parse_decimal(node, text)
        case ast.Name(id=name) if name.lower() in CONSTANTS:
            return CONSTANTS[name.lower()]
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
            values = tuple(_evaluate_node(arg, text, depth + 1) for arg in args)
            return _call_function(name.lower(), values)
        case ast.Name(id=name):
            raise ToolError(f"{name} is not known; there are {', '.join(CONSTANTS)}.")
        case _:
            raise ToolError(f"Only numbers and arithmetic can be calculated; {_SYNTAX_HINT}.")


def _parse_decimal(node: ast.expr, text: str) -> Number:
    """Return a float literal exactly as written; `node.value` is already rounded."""
    return parse_literal(ast.get_source_segment(text, node) or "")


def _call_function(name: str, values: tuple[Number, ...]) -> Number:
    function = FUNCTIONS.get(name)
    if function is None:
        raise ToolError(f"There is no function {name}; there are {', '.join(FUNCTIONS)}.")
    if not function.min_arguments <= len(values) <= function.max_arguments:
        raise ToolError(
            f"{name} takes {_argument_count(function.min_arguments, function.max_arguments)}."
        )
    try:
        return checked_number(function.implementation(*values))
    except ValueError as error:
        raise ToolError(f"{name} is not defined for {format_number(values[0])}.") from error


def _argument_count(least: int, most: int) -> str:
    if least == most:
        return f"{least} argument" + ("s" if least > 1 else "")
    return f"{least} to {most} arguments"
