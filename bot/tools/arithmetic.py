"""The calculator's numbers, operators and functions. Pure.

A number is a Fraction as long as it can be: then 0.1 + 0.2 is 0.3, and a third times three is one.
Roots, logarithms and the like give a float, and so does what would need more than `MAX_BITS`.
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
MAX_PLACES = 40  # decimal places written out
MAX_RATIO = 10**9  # a longer numerator or denominator tells nobody anything

TOO_LARGE = "The result is too large."
TOO_SMALL = "The result is too small."


def number(value: complex | Fraction) -> Number:
    """Take a result in: exact where it is and stays small, finite and real in any case."""
    if isinstance(value, complex):
        raise ToolError("The result is not a real number.")
    if isinstance(value, Fraction | int):
        exact = Fraction(value)
        return exact if _bits(exact) <= MAX_BITS else _approximate(exact)
    if not math.isfinite(value):
        raise ToolError(TOO_LARGE)
    return value


def _approximate(value: Number) -> float:
    """The nearest float; raises OverflowError where there is none, ToolError where it is zero."""
    nearest = float(value)
    if value and not nearest:
        raise ToolError(TOO_SMALL)
    return nearest


def literal(text: str) -> Number:
    """Take a number in as it is written; a huge exponent is never written out."""
    value = Decimal(text)
    if abs(value.adjusted()) > 1000:
        raise ToolError(f"{text} is too large or too small.")
    return number(Fraction(value))


def written(value: Number) -> str:
    """Return a number as text; what is not exact is marked ≈ and has 15 digits."""
    if isinstance(value, float):
        return f"≈ {value + 0.0:.15g}"
    top, bottom = value.numerator, value.denominator
    if bottom == 1:
        return str(top)
    with decimal.localcontext() as context:
        context.prec = MAX_BITS
        context.clear_traps()
        quotient = Decimal(top) / Decimal(bottom)
        if not context.flags[decimal.Inexact] and bottom <= 10**MAX_PLACES:
            return f"{quotient:f}"
        short = f"{quotient:.15g}"
        if Decimal(short) * bottom == top:
            return short
    return f"≈ {short}{_ratio(top, bottom)}"


def _ratio(top: int, bottom: int) -> str:
    return f" (exactly {top}/{bottom})" if max(abs(top), bottom) < MAX_RATIO else ""


def _bits(value: Fraction) -> int:
    """An upper bound of its binary digits; 0 for those no power makes larger: -1, 0 and 1."""
    return max(abs(value.numerator) - 1, value.denominator - 1).bit_length()


def _power(base: Number, exponent: Number) -> complex | Fraction:
    if isinstance(base, Fraction) and isinstance(exponent, Fraction):
        whole = exponent.denominator == 1
        if whole and _bits(base) * abs(exponent.numerator) <= MAX_BITS:
            return base**exponent.numerator
    result: complex = _approximate(base) ** _approximate(exponent)
    if base and not result:
        raise ToolError(TOO_SMALL)
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


def _whole(value: Number) -> int:
    if value != int(value):
        raise ToolError(f"{written(value)} is not a whole number.")
    return int(value)


def _rounded(value: Number, places: Number = Fraction(0)) -> Number:
    digits = _whole(places)
    if abs(digits) > MAX_BITS:
        raise ToolError("That many decimal places can't be rounded to.")
    if isinstance(value, float):
        return round(value, digits)
    return round(value, digits)  # an overload of its own: for their union there is none


def _factorial(value: Number) -> int:
    if not 0 <= value <= MAX_FACTORIAL:
        raise ToolError(f"factorial takes numbers from 0 to {MAX_FACTORIAL}.")
    return math.factorial(_whole(value))


def _log(value: Number, base: Number | None = None) -> float:
    if base == 10:
        return math.log10(value)
    if base == 2:
        return math.log2(value)
    return math.log(value) if base is None else math.log(value) / math.log(base)


@dataclass(frozen=True, slots=True)
class Function:
    """What may be called, and with how many arguments."""

    call: Callable[..., complex | Fraction]
    least: int = 1
    most: int = 1


def _of_whole(function: Callable[..., int]) -> Callable[..., int]:
    return lambda *values: function(*map(_whole, values))


FUNCTIONS: Mapping[str, Function] = {
    "sqrt": Function(_sqrt),
    "cbrt": Function(math.cbrt),
    "exp": Function(math.exp),
    "ln": Function(_log),
    "log": Function(_log, 1, 2),
    "log10": Function(math.log10),
    "log2": Function(math.log2),
    **{
        name: Function(getattr(math, name))
        for name in ("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh")
    },
    "atan2": Function(math.atan2, 2, 2),
    "hypot": Function(math.hypot, 2, 2),
    "degrees": Function(math.degrees),
    "radians": Function(math.radians),
    "abs": Function(abs),
    "floor": Function(math.floor),
    "ceil": Function(math.ceil),
    "round": Function(_rounded, 1, 2),
    "min": Function(min, 2, 20),
    "max": Function(max, 2, 20),
    "gcd": Function(_of_whole(math.gcd), 2, 20),
    "lcm": Function(_of_whole(math.lcm), 2, 20),
    "factorial": Function(_factorial),
}
