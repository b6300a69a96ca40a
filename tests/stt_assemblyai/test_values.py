"""What values are made of: each may be written as one text."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from stt_assemblyai.values import JsonObject, LanguageTags, ModelName, Pairs, Terms, WebAddress


def read(kind: Any, given: object) -> Any:
    return TypeAdapter(kind).validate_python(given)


@pytest.mark.parametrize(
    "given", ['["Aldi", "Kofi"]', "Aldi, Kofi", "Aldi,Kofi,", ("Aldi", "Kofi")]
)
def test_a_list_may_be_written_as_one_text(given: object) -> None:
    assert read(Terms, given) == ("Aldi", "Kofi")


@pytest.mark.parametrize(
    ("given", "codes"),
    [
        (["en-US", "en-GB", "es"], ("en", "es")),
        ("en_US, EN ,es", ("en", "es")),
        (["multi"], ("multi",)),
        (["", " "], ()),
        ("", ()),
    ],
)
def test_languages_are_bare_codes_each_once(given: object, codes: tuple[str, ...]) -> None:
    assert read(LanguageTags, given) == codes


@pytest.mark.parametrize("given", [["english please"], [1], 1, [f"{c}a" for c in "abcdefghijk"]])
def test_what_is_no_list_of_languages_is_refused(given: object) -> None:
    with pytest.raises(ValidationError):
        read(LanguageTags, given)


@pytest.mark.parametrize("name", ["universal-3-6-pro", " whisper-rt ", "vendor/model:v1.2_b"])
def test_a_model_is_a_name(name: str) -> None:
    assert read(ModelName, name) == name.strip()


@pytest.mark.parametrize("name", ["", "the best one", "caf\u00e9", "a&b=c", "n" * 101])
def test_what_is_no_name_is_no_model(name: str) -> None:
    with pytest.raises(ValidationError):
        read(ModelName, name)


def test_what_is_nested_too_deeply_is_refused() -> None:
    with pytest.raises(ValidationError, match="nested too deeply"):
        read(JsonObject, "[" * 100_000)


@pytest.mark.parametrize("given", ['{"a": 1}', {"a": 1}])
def test_an_object_may_be_written_as_json(given: object) -> None:
    assert read(JsonObject, given) == {"a": 1}
    assert read(Pairs, given) == {"a": 1}


def test_pairs_are_texts() -> None:
    assert read(Pairs, "a=1, b = x=y,") == {"a": "1", "b": "x=y"}


@pytest.mark.parametrize("given", ["a", "=1", "a=1,b", "{broken", 1])
def test_what_are_no_pairs_is_refused(given: object) -> None:
    with pytest.raises(ValidationError):
        read(Pairs, given)


def test_a_web_address_is_a_secret() -> None:
    url = read(WebAddress, "https://hooks.example/s3cret")
    assert url.get_secret_value() == "https://hooks.example/s3cret"
    assert "s3cret" not in repr(url)
    with pytest.raises(ValidationError, match="must start with http"):
        read(WebAddress, "ftp://hooks.example")
