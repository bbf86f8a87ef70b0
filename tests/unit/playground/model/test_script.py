from __future__ import annotations

import ast
import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.history.question.subject import summary_prompt
from bot.history.summaries.text import request_text
from bot.playground.model.conversation import Called, Conversation, Returned, Said, Tool, spoken
from bot.playground.model.plan import Call, Plan, Refusal, Search, Text, Thought
from bot.playground.model.script import answer, unknown
from bot.playground.model.script.reading import LONG_PARTS, read, very_long
from bot.values import Author, Message
from bot.words import Language

NOW = Tool("now", ("timezone",))
CALCULATE = Tool("calculate", ("expression",), ("expression",))


def asked(*questions: str, tools: tuple[Tool, ...] = ()) -> Plan:
    """The answer to the last question, after the script answered those before it."""
    talk = Conversation((), tools=tools, model="gpt-5.4")
    plan = Plan(())
    for question in questions:
        talk = Conversation((*talk.turns, spoken(question)), tools=tools, model="gpt-5.4")
        plan = answer(talk)
        talk = Conversation((*talk.turns, Said("assistant", plan.text)))
    return plan


def known(question: str) -> bool:
    talk = Conversation((spoken(question),), model="gpt-5.4")
    return answer(talk) != unknown.answer(talk)


@pytest.mark.parametrize("question", ["hi", "Hello!", "hey there", "Ada: good morning", "", "test"])
def test_greeting_is_answered_by_a_demo_model_that_says_so(question: str) -> None:
    assert "demo model" in asked(question).text
    assert "not a real language model" in asked(question).text


@pytest.mark.parametrize(
    "question", ["help", "what can you do?", "are you real?", "what is this bot?"]
)
def test_demo_model_says_that_it_is_a_demo(question: str) -> None:
    assert "**demo model**" in asked(question).text


def promised() -> list[str]:
    """Everything in backticks that a text tells the reader to say."""
    ideas = (idea for ideas in unknown._IDEAS for idea in ideas)
    texts = (*map(read, ("hello", "help", "thanks", "bye")), *ideas)
    found = [words for text in texts for words in re.findall(r"`([^`]+)`", text)]
    return sorted({words for words in found if words != "echo"})


@pytest.mark.parametrize("question", promised())
def test_suggested_phrases_all_have_an_answer(question: str) -> None:
    assert known(question)


@pytest.mark.parametrize(
    "question",
    [
        "What's the capital of Iceland?",
        "How do I install Python packages?",
        "think of a name for my cat",
        "what is a search tree",
    ],
)
def test_unknown_question_is_quoted_and_said_to_be_unknown(question: str) -> None:
    text = asked(question).text
    assert f"> {question}" in text
    assert "demo" in text
    assert text.count("\n- `") == 3


def test_unknown_questions_get_varied_answers_and_the_same_question_the_same() -> None:
    openings = {asked(f"blue number {n}").text.splitlines()[0] for n in range(40)}
    assert len(openings) == len(unknown._OPENINGS)
    assert asked("blue") == asked("blue")


@pytest.mark.parametrize(
    ("question", "sign"),
    [
        ("show me headings", "## "),
        ("a nested list", "\n  - "),
        ("Numbered steps, please", "\n2. "),
        ("a task list", "- [ ] "),
        ("can you show me a table?", "|---|"),
        ("Write some Python with an explanation", "```python"),
        ("a shell block", "```shell"),
        ("links", "](https://"),
        ("a quote", "\n> "),
        ("emoji", "👨‍👩‍👧‍👦"),
        ("Chinese and Japanese", "中文"),
        ("what are the rate limits?", "chat.update"),
        ("how do I connect my Slack?", "xoxb-"),
        ("how do I use a real model?", "UPSTREAM_API_KEY"),
        ("which faults can I try?", "Crash the bot"),
        ("how does streaming work?", "Paced"),
    ],
)
def test_formatting_that_is_asked_for_is_shown(question: str, sign: str) -> None:
    assert sign in asked(question).text


def test_answer_can_have_several_kinds_of_formatting() -> None:
    text = asked("Show me a table and some code").text
    assert text.index("|---|") < text.index("```python")
    assert "lighthouse" not in asked("a numbered list").text
    assert all(sign in asked("show me everything").text for sign in ("|---|", "```shell", "- [x]"))


def test_shown_python_code_runs() -> None:
    for text in (read("python"), very_long()):
        for code in re.findall(r"```python\n(.*?)```", text, re.S):
            compile(ast.parse(code), "shown", "exec")


def test_long_answers_are_as_long_as_they_say() -> None:
    assert 1_100 <= len(asked("write a long essay").text.split()) <= 1_400
    long = asked("write something very long").text
    assert len(long.split()) > 5_000
    assert 29_000 <= len(long) <= 32_000
    words = asked("write 300 words").text
    assert long.startswith(words)
    assert len(re.findall(r"\S*\w\S*", words)) == 300
    assert "longest text" in asked("write 100,000 words").text


def test_counting_has_every_number_once() -> None:
    assert asked("please count to 500").text.split() == [str(n) for n in range(1, 501)]
    assert "rather not" in asked("count to 1,000,000").text


def test_echo_is_exact() -> None:
    assert asked("echo **a**  <!channel>\n\n“q”").text == "**a**  <!channel>\n\n“q”"
    assert asked("Ada: say exactly: x: y").text == "x: y"
    assert asked("`echo **a**`").text == "**a**"
    assert asked(f"echo {'a' * 9_000}").text == "a" * 9_000


def test_names_are_remembered_for_the_person_who_gave_them() -> None:
    assert "**Ada Lovelace**" in asked("my name is Ada Lovelace", "hi", "what's my name?").text
    assert "haven't told me" in asked("hi", "what is my name?").text
    assert (
        "write here as **Ben**" in asked("Ada: my name is Countess", "Ben: what is my name?").text
    )
    assert "**Countess**" in asked("Ada: call me Countess", "Ben: hi", "Ada: who am I?").text


def test_facts_are_remembered() -> None:
    assert (
        "**dark green**"
        in asked("My favourite colour is dark green.", "what is my favourite colour?").text
    )
    assert "haven't told me your dog" in asked("hi", "what is my dog?").text


def test_earlier_questions_are_remembered() -> None:
    talk = ("first thing", "second thing")
    assert "> second thing" in asked(*talk, "what did I ask before?").text
    assert "> first thing" in asked(*talk, "what did I ask first?").text
    listed = asked(*talk, "list everything I asked").text
    assert "1. first thing\n2. second thing" in listed
    assert "first message" in asked("what did I ask before?").text


def test_follow_ups_work_on_the_answer_before() -> None:
    promises = "what are the two promises?"
    assert asked(promises, "and the second one?").text.startswith(
        "**Nothing lost, nothing twice.**"
    )
    assert asked("show me a table", "and the second one?").text.startswith("**Telegraph**")
    assert asked(promises, "and the last one?") == asked(promises, "item 2")
    assert "had 2 of those" in asked(promises, "the fifth one").text
    short = asked(promises, "shorter, please")
    assert len(short.text) < len(asked(promises).text) / 3
    assert asked(promises, "repeat that") == asked(promises)
    assert "words**" in asked(promises, "how many words was that?").text
    assert asked(promises, "in capitals").text.startswith("THE BOT KEEPS")
    assert asked(promises, "make it like a pirate").text.startswith(
        "Arr! Th' bot".replace("Th'", "The")
    )
    assert asked(promises, "as a list").text.startswith("- **Always")
    assert "*The bot keeps two promises" in asked(promises, "translate it into French").text
    assert (
        asked(promises, "and the second one?", "shorter please").text
        == "**Nothing lost, nothing twice.**"
    )


@pytest.mark.parametrize(
    "question", ["shorter please", "and the second one?", "as a list", "go on"]
)
def test_follow_ups_admit_that_there_is_nothing_before(question: str) -> None:
    assert "previous answer" in asked(question).text


def test_going_on_gives_exactly_what_was_cut_off() -> None:
    essay = asked("write a long essay").text
    cut = essay[:3000]
    talk = (spoken("write a long essay"), Said("assistant", cut), spoken("continue"))
    rest = answer(Conversation(talk)).text
    assert cut.rstrip() + essay[len(cut.rstrip()) :][: -len(rest)] + rest == essay
    assert essay.endswith(rest)
    assert len(cut) + len(rest) >= len(essay) - 1
    assert "complete" in asked("hello", "go on").text


def test_tool_is_called_when_it_is_offered_and_explained_when_not() -> None:
    question = "what time is it, and what is 6 \u00d7 7?"
    thought, *calls = asked(question, tools=(NOW, CALCULATE)).parts
    assert isinstance(thought, Thought)
    assert calls == [Call("now", "{}"), Call("calculate", '{"expression": "6 * 7"}')]
    assert asked(question, tools=(CALCULATE,)).parts == (thought, calls[1])
    assert "`now`" in asked(question).text
    assert "TOOLS" in asked(question).text


@pytest.mark.parametrize(
    ("question", "tool", "arguments"),
    [
        ("calculate (2 + 3) * 4", CALCULATE, {"expression": "(2 + 3) * 4"}),
        (
            "read https://a.example/x please",
            Tool("fetch_page", ("url",)),
            {"url": "https://a.example/x"},
        ),
        ("search this thread for otters", Tool("search_thread", ("query",)), {"query": "otters"}),
        ("what time is it?", Tool("now", ("zone",), ("zone",)), {"zone": "UTC"}),
        ("what time is it?", Tool("now"), {}),
    ],
)
def test_arguments_follow_the_schema(question: str, tool: Tool, arguments: dict[str, str]) -> None:
    _, call = asked(question, tools=(tool,)).parts
    assert isinstance(call, Call)
    assert (call.name, json.loads(call.text)) == (tool.name, arguments)


def test_tool_output_is_in_the_answer() -> None:
    def told(output: str) -> str:
        turns = (spoken("what time is it?"), Called("1", "now", "{}"), Returned("1", output))
        return answer(Conversation(turns, tools=(NOW,))).text

    assert "it says: **noon**" in told("noon")
    assert "with nothing" in told("  ")
    assert "````text\n```\nx\n```\n````" in told("```\nx\n```")
    assert len(told("x" * 9_000)) < 2_000


def test_demo_model_thinks_searches_refuses_and_fails_on_demand() -> None:
    assert [type(p) for p in asked("think about it").parts] == [Thought, Thought, Text]
    search, text = asked("search the web for sea otters").parts
    assert isinstance(search, Search)
    assert isinstance(text, Text)
    assert search.query == "sea otters"
    assert all(source.title in text.text for source in text.citations)
    assert [type(p) for p in asked("refuse something").parts] == [Refusal]
    midway, for_good = asked("fail midway").failure, asked("fail for good").failure
    assert midway is not None
    assert for_good is not None
    assert (midway.code, for_good.code) == ("server_error", "invalid_prompt")


def test_demo_model_knows_its_instructions_and_its_name() -> None:
    talk = (spoken("what are your instructions?"),)
    assert "> Be kind." in answer(Conversation(talk, instructions="Be kind.")).text
    assert "> Be kind." in answer(Conversation((Said("system", "Be kind."), *talk))).text
    assert "was sent none" in answer(Conversation(talk)).text
    assert "`gpt-5.4`" in asked("which model are you?").text


def test_texts_have_no_unfilled_placeholder() -> None:
    for question in ("hi", "thanks", "bye", "search the web", "what time is it?"):
        assert not re.search(r"\{(name|query|tool)\}", asked(question).text)
    assert all(read(name) for name in LONG_PARTS)


@settings(max_examples=40)
@given(st.lists(st.text(max_size=60), min_size=1, max_size=4))
def test_answer_to_any_conversation_is_deterministic(questions: list[str]) -> None:
    plan = asked(*questions)
    assert plan == asked(*questions)
    assert plan.length > 0


def test_request_for_a_summary_gets_one_that_takes_up_the_earlier() -> None:
    ada = Message("user", "My project is Heron.\nIs it big?", Author("U1", "Ada"))
    first = answer(Conversation((spoken(request_text("", [ada], 800)),))).text
    assert first == "The demo model's summary: My project is Heron."
    bob = Message("user", "It is a bird.", Author("U2", "Bob"))
    second = answer(Conversation((spoken(request_text(first, [bob], 800)),))).text
    assert second == "The demo model's summary: My project is Heron. / It is a bird."


def test_request_for_a_summary_of_a_thread_gets_its_messages() -> None:
    notes = spoken("[Something the bot says]")
    prompt = spoken(summary_prompt(Language.ENGLISH), "Ada")
    told = Conversation((spoken("It is late", "Ada"), notes, spoken("Very", "Ben"), prompt))
    assert answer(told).text == "This thread has 2 messages.\n- Ada: It is late\n- Ben: Very"
