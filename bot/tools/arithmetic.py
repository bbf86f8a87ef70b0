"""The calculator's numbers, operators and functions. Pure.

A number is a Fraction as long as possible: 0.1 + 0.2 is 0.3, and a third times three is one. Roots,
logarithms and the like give a float, and so does a result that would need more than `MAX_BITS`.
"""

from __future__ import annotations

import ast
import decimal
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TypeAlias

from bot.errors import ToolError

Number: TypeAlias = Fraction | float

MAX_BITS = 4096  # of a numerator or denominator, about 1,200 digits
MAX_FACTORIAL = 500  # below MAX_BITS
MAX_DECIMAL_PLACES = 40
MAX_RATIO_TERM = 10**9  # a fraction with a larger numerator or denominator is not shown

TOO_LARGE_MESSAGE = "The result is too large."
TOO_SMALL_MESSAGE = "The result is too small."


def checked_number(value: complex | Fraction) -> Number:
    """Return a result as Fraction if exact and within MAX_BITS, else as float.

    Raises ToolError if it is not real or not finite.
    """
    if isinstance(value, complex):
        raise ToolError("The result is not a real number.")
    if isinstance(value, Fraction | int):
        exact = Fraction(value)
        return exact if _max_bits(exact) <= MAX_BITS else _approximate(exact)
    if not math.isfinite(value):
        raise ToolError(TOO_LARGE_MESSAGE)
    return value


def _approximate(value: Number) -> float:
    """Return the nearest float; raises OverflowError if too large, ToolError if it is zero."""
    nearest = float(value)
    if value and not nearest:
        raise ToolError(TOO_SMALL_MESSAGE)
    return nearest


def parse_literal(text: str) -> Number:
    """Parse a decimal number; raises ToolError for a huge exponent instead of expanding it."""
    value = Decimal(text)
    if abs(value.adjusted()) > 1000:
        raise ToolError(f"{text} is too large or too small.")
    return checked_number(Fraction(value))


def format_number(value: Number) -> str:
    """Return a number as text; an inexact one has 15 digits and is marked with ≈."""
    if isinstance(value, float):
        return f"≈ {value + 0.0:.15g}"
    top, bottom = value.numerator, value.denominator
    if bottom == 1:
        return str(top)
    with decimal.localcontext() as context:
        context.prec = MAX_BITS
        context.clear_traps()
        quotient = Decimal(top) / Decimal(bottom)
        if not context.flags[decimal.Inexact] and bottom <= 10**MAX_DECIMAL_PLACES:
            return f"{quotient:f}"
        short = f"{quotient:.15g}"
        if Decimal(short) * bottom == top:
            return short
    return f"≈ {short}{_ratio_suffix(top, bottom)}"


def _ratio_suffix(top: int, bottom: int) -> str:
    return f" (exactly {top}/{bottom})" if max(abs(top), bottom) < MAX_RATIO_TERM else ""


def _max_bits(value: Fraction) -> int:
    """Return an upper bound of its binary digits; 0 for -1, 0 and 1, whose powers stay small."""
    return max(abs(value.numerator) - 1, value.denominator - 1).bit_length()


def _power(base: Number, exponent: Number) -> complex | Fraction:
    if isinstance(base, Fraction) and isinstance(exponent, Fraction):
        whole = exponent.denominator == 1
        if whole and _max_bits(base) * abs(exponent.numerator) <= MAX_BITS:
            return base**exponent.numerator
    result: complex = _approximate(base) ** _approximate(exponent)
    if base and not result:
        raise ToolError(TOO_SMALL_MESSAGE)
    return result


OPERATORS: Mapping[type[ast.AST], Callable[[Number, Number], complex | Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: _power,
}
SIGNS: Mapping[type[ast.AST], Callable[[Number], Number]] = {
    ast.UAdd: lambda value: value,
    ast.USub: lambda value: -value,
}
CONSTANTS: Mapping[str, float] = {"pi": math.pi, "e": math.e, "tau": math.tau}


def _sqrt(value: Number) -> float | Fraction:
    if isinstance(value, Fraction) and value >= 0:
        root = Fraction(math.isqrt(value.numerator), math.isqrt(value.denominator))
        if root * root == value:
            return root
    return math.sqrt(value)


def _to_integer(value: Number) -> int:
    if value != int(value):
        raise ToolError(f"{format_number(value)} is not a whole number.")
    return int(value)


def _round(value: Number, places: Number = Fraction(0)) -> Number:
    digits = _to_integer(places)
    if abs(digits) > MAX_BITS:
        raise ToolError("That many decimal places can't be rounded to.")
    if isinstance(value, float):
        return round(value, digits)
    return round(value, digits)  # `round` has no overload for the union


def _factorial(value: Number) -> int:
    if not 0 <= value <= MAX_FACTORIAL:
        raise ToolError(f"factorial takes numbers from 0 to {MAX_FACTORIAL}.")
    return math.factorial(_to_integer(value))


def _log(value: Number, base: Number | None = None) -> float:
    if base == 10:
        return math.log10(value)
    if base == 2:
        return math.log2(value)
    return math.log(value) if base is None else math.log(value) / math.log(base)


@dataclass(frozen=True, slots=True)
class MathFunction:
    """A function of the calculator, with its number of arguments."""

    implementation: Callable[..., complex | Fraction]
    min_arguments: int = 1
    max_arguments: int = 1


def _with_integers(function: Callable[..., int]) -> Callable[..., int]:
    return lambda *values: function(*map(_to_integer, values))


FUNCTIONS: Mapping[str, MathFunction] = {
    "sqrt": MathFunction(_sqrt),
    "cbrt": MathFunction(math.cbrt),
    "exp": MathFunction(math.exp),
    "ln": MathFunction(_log),
    "log": MathFunction(_log, 1, 2),
    "log10": MathFunction(math.log10),
    "log2": MathFunction(math.log2),
    **{
        name: MathFunction(getattr(math, name))
        for name in ("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh")
    },
    "atan2": MathFunction(math.atan2, 2, 2),
    "hypot": MathFunction(math.hypot, 2, 2),
    "degrees": MathFunction(math.degrees),
    "radians": MathFunction(math.radians),
    "abs": MathFunction(abs),
    "floor": MathFunction(math.floor),
    "ceil": MathFunction(math.ceil),
    "round": MathFunction(_round, 1, 2),
    "min": MathFunction(min, 2, 20),
    "max": MathFunction(max, 2, 20),
    "gcd": MathFunction(_with_integers(math.gcd), 2, 20),
    "lcm": MathFunction(_with_integers(math.lcm), 2, 20),
    "factorial": MathFunction(_factorial),
}
