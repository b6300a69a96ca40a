"""The stand-in's mind: what it answers to what."""

from datetime import UTC, datetime

import pytest

from workbench.standins.numerals import parse_number, spoken
from workbench.standins.openai_v1.conversation import Reply, ToolCall
from workbench.standins.openai_v1.responder import reply_to

NOW = datetime(2026, 3, 9, 14, 5, tzinfo=UTC)


def answer(text: str, system: str = "You are a helpful assistant.") -> str:
    conversation = [{"role": "system", "content": system}, {"role": "user", "content": text}]
    return reply_to(conversation, [], NOW).text


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("what is seven plus five", "Seven plus five is twelve."),
        ("What is 7 + 5?", "Seven plus five is twelve."),
        ("what is 7 plus 5", "Seven plus five is twelve."),
        ("how much is twenty three times four", "Twenty-three times four is ninety-two."),
        ("what's twenty-three times 4?", "Twenty-three times four is ninety-two."),
        ("six minus nine", "Six minus nine is minus three."),
        (
            "what is one hundred divided by seven",
            "One hundred divided by seven is fourteen with remainder two.",
        ),
        ("what is ten divided by zero", "Ten divided by zero is not defined."),
        ("add two and two", "Two plus two is four."),
        ("what is your name", "My name is Alex."),
        ("what day is it today", "Today is Monday, March 9, 2026."),
        ("what time is it", "It is 2:05 p.m."),
        ("please spell cat", "Cat is spelled C, A, T."),
        ("repeat after me the sky is blue", "the sky is blue"),
        ("Repeat after me: The sky is blue.", "The sky is blue."),
        ("count to seven", "One, two, three, four, five. Six, seven."),
        ("what is six divided by two", "Six divided by two is three."),
        ("thank you very much", "You're welcome."),
        ("okay bye", "Goodbye!"),
        ("who am i talking to", "My name is Alex."),
        ("rock and roll", "You said: rock and roll"),
        ("hello", "Hello! I'm Alex."),
        ("the sky is blue", "You said: the sky is blue"),
    ],
)
def test_a_question_has_one_answer(question: str, expected: str) -> None:
    assert answer(question) == expected


@pytest.mark.parametrize(
    "system",
    [
        "Your name is Robin.",
        "You are Robin, a friendly voice.",
        "You are an assistant called Robin.",
    ],
)
def test_its_name_is_what_the_instructions_say(system: str) -> None:
    assert answer("what is your name", system) == "My name is Robin."


def test_what_was_said_before_is_remembered() -> None:
    conversation = [
        {"role": "user", "content": "my name is maria"},
        {"role": "assistant", "content": "Nice to meet you, Maria."},
        {"role": "user", "content": "what is my name"},
    ]
    assert reply_to(conversation[:1], [], NOW).text == "Nice to meet you, Maria."
    assert reply_to(conversation, [], NOW).text == "Your name is Maria."
    assert reply_to(conversation[2:], [], NOW).text == "You have not told me your name."


def test_content_may_come_in_parts() -> None:
    parts = [{"type": "text", "text": "what is two"}, {"type": "text", "text": "times three"}]
    reply = reply_to([{"role": "user", "content": parts}], [], NOW)
    assert reply.text == "Two times three is six."


def test_it_speaks_first_if_nobody_has_said_anything() -> None:
    instructions = {"role": "system", "content": "You are Robin. Greet the caller."}
    assert reply_to([instructions], [], NOW).text == "Hello, this is Robin. How can I help you?"


def test_a_story_has_several_sentences() -> None:
    assert answer("tell me a story").count(".") >= 5


WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city", "days"],
        },
    },
}


def test_a_tool_whose_name_suits_is_called() -> None:
    reply = reply_to([{"role": "user", "content": "what is the weather in Paris"}], [WEATHER], NOW)
    assert reply == Reply(tool_calls=(ToolCall("get_weather", {"city": "paris", "days": 1}),))


def test_a_tool_that_does_not_suit_is_left_alone() -> None:
    reply = reply_to([{"role": "user", "content": "what is two plus two"}], [WEATHER], NOW)
    assert reply == Reply("Two plus two is four.")


def test_a_call_can_be_ended_by_a_farewell() -> None:
    tool = {"type": "function", "function": {"name": "end_call"}}
    reply = reply_to([{"role": "user", "content": "okay goodbye"}], [tool], NOW)
    assert reply == Reply(tool_calls=(ToolCall("end_call", {}),))


def test_arguments_are_of_the_type_that_is_asked_for() -> None:
    properties = {
        "count": {"type": "integer"},
        "size": {"type": "string", "enum": ["small", "large"]},
        "is_gift": {"type": "boolean"},
    }
    function = {"name": "order_flowers", "parameters": {"properties": properties}}
    question = {"role": "user", "content": "please order twelve large flowers"}
    reply = reply_to([question], [{"type": "function", "function": function}], NOW)
    arguments = {"count": 12, "size": "large", "is_gift": True}
    assert reply == Reply(tool_calls=(ToolCall("order_flowers", arguments),))


def test_a_tools_structured_result_is_told_too() -> None:
    result = {"role": "tool", "tool_call_id": "1", "content": '{"degrees": 20}'}
    assert reply_to([result], [], NOW) == Reply("Here is what I found: degrees 20.")


def test_a_tools_result_is_told() -> None:
    result = {"role": "tool", "tool_call_id": "1", "content": "Sunny, twenty degrees."}
    reply = reply_to([{"role": "user", "content": "the weather"}, result], [WEATHER], NOW)
    assert reply == Reply("Here is what I found: Sunny, twenty degrees.")


@pytest.mark.parametrize(
    "number", [0, 7, 13, 20, 42, 100, 101, 115, 999, 1000, 1042, 20_300, 1_000_001]
)
def test_a_number_in_words_is_read_back(number: int) -> None:
    assert parse_number(spoken(number)) == number
