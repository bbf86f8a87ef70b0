"""The calculator: exact, in agreement with Python, and never slow."""

from __future__ import annotations

import math
import time
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.errors import ToolError
from bot.tools.arithmetic import FUNCTIONS, MAX_BITS, format_number
from bot.tools.calculate import MAX_EXPRESSION_CHARACTERS, calculate, evaluate
from bot.words import Phrase, sentence
from tests.unit.tools.tool_calls import CONTEXT, call, output

WORTH = {
    "0.1 + 0.2": "0.3",
    "19.99 * 3": "59.97",
    "1/3": "≈ 0.333333333333333 (exactly 1/3)",
    "1/3 * 3": "1",
    "-7 % 3": "2",
    "-7 // 2": "-4",
    "7.5 % 2": "1.5",
    "2 + 3 * 4": "14",
    "-2 ** 2": "-4",
    "2 ** -2": "0.25",
    "2^10": "1024",
    "2^3 + 1": "9",
    "6 × 7 ÷ 2 − 1": "20",  # noqa: RUF001  # as people type them
    "2 + 2 = ?": "4",
    "1_000 * 1.5e3": "1500000",
    "0xff": "255",
    "sqrt(16)": "4",
    "sqrt(0.0625)": "0.25",
    "sqrt(2)": "≈ 1.4142135623731",
    "sqrt(10**400) / 10**199": "10",
    "2 ** 0.5 * 2 ** 0.5": "≈ 2",
    "cbrt(27)": "≈ 3",
    "log(100, 10)": "≈ 2",
    "log(8, 2)": "≈ 3",
    "ln(e)": "≈ 1",
    "sin(π / 2)": "≈ 1",
    "round(2.675, 2)": "2.68",
    "round(1234.5, -2)": "1200",
    "floor(-2.5) + ceil(2.1)": "0",
    "min(3, 1, 2) + max(1.5, 2)": "3",
    "abs(-3.5)": "3.5",
    "gcd(12, 18) * lcm(4, 6)": "72",
    "factorial(20)": "2432902008176640000",
    "degrees(pi)": "≈ 180",
    "SQRT(4) * PI": "≈ 6.28318530717959",
    "(1 + 0.05/12) ** 360": "≈ 4.46774431400613",
    "0.1 ** 50": "1e-50",
    "1 / 7 ** 20": "≈ 1.25325428941968e-17",
}


@pytest.mark.parametrize(("expression", "result"), WORTH.items())
async def test_calculate_returns_the_value_of_an_expression(expression: str, result: str) -> None:
    assert await output(calculate, expression=expression) == result


NOTHING = "Only numbers and arithmetic can be calculated"
NO_EXPRESSION = "This is not an arithmetic expression"
REFUSED = {
    "": "There is nothing to calculate",
    " = ? ": "There is nothing to calculate",
    "1 / 0": "It divides by zero",
    "5 % 0": "It divides by zero",
    "0 ** -1": "It divides by zero",
    "1,000 * 2": NOTHING,
    "15% of 200": NO_EXPRESSION,
    "2 +": NO_EXPRESSION,
    "2 3": NO_EXPRESSION,
    "five": "five is not known",
    "(-8) ** (1/3)": "not a real number",
    "sqrt(-1)": "sqrt is not defined for -1",
    "log(0)": "log is not defined for 0",
    "asin(2)": "asin is not defined for 2",
    "sqrt()": "sqrt takes 1 argument",
    "atan2(1)": "atan2 takes 2 arguments",
    "max(1)": "max takes 2 to 20 arguments",
    "factorial(2.5)": "2.5 is not a whole number",
    "factorial(-1)": "factorial takes numbers from 0",
    "frobnicate(1)": "There is no function frobnicate; there are sqrt",
    "9 ** 9 ** 9": "The result is too large",
    "9 ** 9 ** 9 ** 9": "The result is too large",
    "2 ** 5000": "The result is too large",
    "(10 ** 999) ** 30000": "The result is too large",
    "exp(1000)": "The result is too large",
    "sin(10 ** 400)": "The result is too large",
    "1e-900 ** 9": "The result is too small",
    "0.001 ** 2000": "The result is too small",
    "1e-900 * 1e-900": "The result is too small",
    "1e999999999": "too large or too small",
    "1e-999999999": "too large or too small",
    "factorial(10 ** 9)": "factorial takes numbers from 0",
    "factorial(factorial(500))": "factorial takes numbers from 0",
    "round(1, 10 ** 10)": "can't be rounded",
    "-" * 300 + "1": "nested too deeply",
    "1" * (MAX_EXPRESSION_CHARACTERS + 1): "longer than 400 characters",
    "(" * 199 + "1" + ")" * 199: "",
    "__import__('os').system('true')": NOTHING,
    "().__class__": NOTHING,
    "[1 for _ in (1,)]": NOTHING,
    "lambda: 1": NOTHING,
    "1 if 1 else 2": NOTHING,
    "1if 1else 2": NOTHING,
    "'a' * 999": NOTHING,
    "True + 1": NOTHING,
    "1j * 1j": NOTHING,
    "... + 1": NOTHING,
    "1 < 2": NOTHING,
    "1 << 99999999": NOTHING,
    "min(*(1, 2))": NOTHING,
    "round(1, places=2)": NOTHING,
    "f'{1}'": NOTHING,
    "(x := 3)": NOTHING,
    "1\0": NO_EXPRESSION,
    "import os": NO_EXPRESSION,
}


@pytest.mark.parametrize(("expression", "said"), REFUSED.items())
async def test_calculate_explains_what_it_cannot_calculate(expression: str, said: str) -> None:
    began = time.process_time()
    result = await output(calculate, expression=expression)

    assert time.process_time() - began < 1
    assert said in result
    assert result.startswith("Error: ") or not said


def test_calculate_accepts_a_sum_of_many_terms() -> None:
    assert evaluate("+".join("1" * 200)) == 200


@st.composite
def sums(draw: st.DrawFn, leaf: st.SearchStrategy[str], signs: str) -> str:
    """An expression, every part of it in parentheses or not."""

    def joined(parts: tuple[str, str, str, bool]) -> str:
        left, sign, right, wrapped = parts
        return f"({left} {sign} {right})" if wrapped else f"{left} {sign} {right}"

    def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        pair = st.tuples(inner, st.sampled_from(signs.split()), inner, st.booleans())
        return pair.map(joined) | inner.map(lambda text: f"(-{text})")

    return draw(st.recursive(leaf, larger, max_leaves=12))


whole_numbers = st.integers(0, 10**6).map(str)
decimals = st.decimals(0, 1000, places=3).map(lambda d: f"{d:f}")


@settings(max_examples=60, deadline=None)
@given(sums(whole_numbers, "+ - * // %"))
def test_calculate_agrees_with_python_on_integers(text: str) -> None:
    try:
        expected = eval(text, {})
    except ZeroDivisionError:
        with pytest.raises(ToolError, match="divides by zero"):
            evaluate(text)
    else:
        assert evaluate(text) == expected
        assert format_number(evaluate(text)) == str(expected)


@settings(max_examples=60, deadline=None)
@given(sums(decimals, "+ - *"))
def test_calculate_decimals_without_rounding(text: str) -> None:
    exact = eval(_as_fractions(text), {"Fraction": Fraction})

    assert evaluate(text) == exact


@settings(max_examples=60, deadline=None)
@given(sums(decimals, "+ - * /"))
@example("0.001 / 1000.000 / 3.000")
def test_calculate_division_agrees_with_floats_and_its_text(text: str) -> None:
    try:
        exact = eval(_as_fractions(text), {"Fraction": Fraction})
    except ZeroDivisionError:
        return
    shown, _, _ = format_number(evaluate(text)).removeprefix("≈ ").partition(" ")

    assert evaluate(text) == exact
    assert math.isclose(Fraction(shown), exact, rel_tol=1e-14)


@settings(deadline=None)
@given(st.integers(-50, 50), st.integers(-30, 30))
def test_calculate_powers_exactly(base: int, exponent: int) -> None:
    if base or exponent >= 0:
        assert evaluate(f"({base}) ** ({exponent})") == Fraction(base) ** exponent


@settings(deadline=None)
@given(st.sampled_from(sorted(FUNCTIONS)), st.floats(-50, 50).map(lambda x: f"{x:.6f}"))
def test_calculate_functions_agree_with_python(name: str, text: str) -> None:
    python = getattr(math, {"ln": "log", "abs": "fabs", "lcm": ""}.get(name, name), None)
    if python is None or FUNCTIONS[name].min_arguments != 1 or name == "factorial":
        return
    try:
        expected = python(float(text))
    except ValueError:
        with pytest.raises(ToolError, match="is not defined for"):
            evaluate(f"{name}({text})")
    else:
        assert float(evaluate(f"{name}({text})")) == pytest.approx(expected, rel=1e-12, abs=1e-12)


@settings(max_examples=200, deadline=None)
@given(st.text("0123456789.e+-*/%()^, πjx=_'[]", max_size=60))
def test_calculate_answers_any_text_with_a_number_or_an_explanation(text: str) -> None:
    try:
        value = evaluate(text)
    except ToolError:
        return
    else:
        assert format_number(value)
        exact = Fraction(value)
        assert isinstance(value, float) or exact.numerator.bit_length() <= MAX_BITS + 1


async def test_calculate_label_shows_the_expression() -> None:
    assert calculate.status_label
    label = calculate.status_label(call("calculate", expression="2 + 2").arguments)
    assert label == sentence(Phrase.CALCULATING, expression="2 + 2")
    assert await calculate.run('{"expression": "2 + 2"}', CONTEXT) == "4"


def _as_fractions(text: str) -> str:
    """The expression with every number as a Fraction of what is written."""
    spaced = text.replace("(", " ( ").replace(")", " ) ").replace("-", " - ")
    return " ".join(f"Fraction('{part}')" if part[0].isdigit() else part for part in spaced.split())
