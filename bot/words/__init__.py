"""The bot's own words: all sentences that people read, in each language. Pure.

    language.py  the languages, and the one for a person's locale
    english.py   the English catalogue; its names are the names of the phrases (`Phrase`)
    chinese.py   the Chinese catalogue
    saying.py    fills in fields: `say`

To say something, add a member to `Phrase` and its translation to `CHINESE`, then

    say(question.language, Phrase.STOPPED_BY, user="U1")

Where the language is not known yet, as in an error, pass on the phrase, or with fields
`sentence(Phrase.STOPPED_BY, user="U1")`, and let the code that shows it call `say(language, that)`.
A field may be such a phrase or sentence itself.

A field is `{name}` or, with a format, `{count:,}`. `{count:message|messages}` is the first of both
words if `count` is 1, else the second. Log lines, settings errors, output of the command line and
texts for the model are not in the catalogues. `tests/unit/words/` checks that the catalogues match,
that each call gives the fields of its phrase, and that no sentence for people stands elsewhere.
"""

from bot.words.english import Phrase
from bot.words.language import Language, language_of_locale
from bot.words.saying import Saying, Sentence, say, sentence

__all__ = ["Language", "Phrase", "Saying", "Sentence", "language_of_locale", "say", "sentence"]
