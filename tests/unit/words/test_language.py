from __future__ import annotations

import msgspec
import pytest

from bot.words import Language, language_of_locale
from tests.support.words import EN, ZH


@pytest.mark.parametrize("locale", ["zh-CN", "zh-TW", "zh-HK", "zh", "zh_cn"])
def test_locale_of_chinese_is_chinese(locale: str) -> None:
    assert language_of_locale(locale) is ZH


@pytest.mark.parametrize("locale", ["", "en-US", "en-GB", "de-DE", "ja-JP", "za-CN"])
def test_other_locale_is_english(locale: str) -> None:
    assert language_of_locale(locale) is EN


def test_language_of_a_newer_version_is_read_as_english() -> None:
    assert msgspec.convert("tlh", Language) is EN
    assert msgspec.convert("zh", Language) is ZH
