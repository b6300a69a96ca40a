"""Every session parameter: sent right, refused early, with the rule it broke."""

import json
from typing import Any
from urllib.parse import parse_qs

import pytest
from pydantic import SecretStr, ValidationError

from stt_assemblyai.errors import ConfigurationError
from stt_assemblyai.models import PRESETS, U3
from stt_assemblyai.options import CONTROLLED, PARAMETERS, RENAMED, SessionOptions

U3_MODEL = "universal-3-6-pro"


def sent(**values: Any) -> dict[str, str]:
    return {
        name: texts[0]
        for name, texts in parse_qs(
            SessionOptions(**values).query(), keep_blank_values=True
        ).items()
    }


def faults(**values: Any) -> dict[str, str]:
    with pytest.raises(ValidationError) as caught:
        SessionOptions(**values)
    return {str(error["loc"][0]): error["msg"] for error in caught.value.errors()}


def test_the_us_models_are_sent_the_thresholds_this_product_ships() -> None:
    assert sent() == {
        "speech_model": "universal-streaming-english",
        "sample_rate": "16000",
        "encoding": "pcm_s16le",
        "format_turns": "true",
        "end_of_turn_confidence_threshold": "0.7",
        "min_turn_silence": "160",
        "max_turn_silence": "2400",
    }


def test_the_u3_family_keeps_the_services_own_thresholds() -> None:
    assert sent(speech_model=U3_MODEL) == {
        "speech_model": U3_MODEL,
        "sample_rate": "16000",
        "encoding": "pcm_s16le",
    }


def test_lists_travel_as_one_json_text_and_booleans_in_lower_case() -> None:
    query = sent(
        speech_model=U3_MODEL, keyterms_prompt=["Aldi", "Kofi & Co"], language_detection=False
    )
    assert json.loads(query["keyterms_prompt"]) == ["Aldi", "Kofi & Co"]
    assert query["language_detection"] == "false"


def test_an_object_travels_as_json() -> None:
    gateway = {"model": "m", "messages": [{"role": "user", "content": "{{turn}}"}]}
    assert json.loads(sent(llm_gateway=gateway)["llm_gateway"]) == gateway


def test_empty_texts_and_lists_are_not_sent_when_connecting() -> None:
    assert sent(speech_model=U3_MODEL, prompt="", keyterms_prompt=[]).keys() == {
        "speech_model",
        "sample_rate",
        "encoding",
    }


def test_a_false_value_that_was_set_is_sent() -> None:
    query = sent(end_of_turn_confidence_threshold=0, format_turns=False)
    assert query["end_of_turn_confidence_threshold"] == "0.0"
    assert query["format_turns"] == "false"


def test_all_faults_are_reported_at_once_each_with_its_rule() -> None:
    found = faults(
        sample_rate=4000,
        end_of_turn_confidence_threshold=1.5,
        prompt="about trains",
        mode="balanced",
        min_turn_silense=3,
    )
    assert found["sample_rate"] == "Input should be greater than or equal to 8000"
    assert found["end_of_turn_confidence_threshold"] == "Input should be less than or equal to 1"
    assert found["prompt"].startswith(
        "the model universal-streaming-english does not take this; it is for assemblyai-stt-3-7"
    )
    assert found.keys() > {"mode", "min_turn_silense"}


def test_a_model_of_tomorrow_is_passed_on_with_all_that_is_set_and_one_warning() -> None:
    asked = {"prompt": "trains", "end_of_turn_confidence_threshold": 0.5}
    with pytest.warns(UserWarning, match="universal-4 is not known here") as said:
        options = SessionOptions(speech_model="universal-4", **asked)
    assert len(said) == 1
    query = options.revised(min_turn_silence=200).with_preset("conservative").query()
    assert "speech_model=universal-4&" in query
    assert "end_of_turn_confidence_threshold=0.5" in query
    assert "prompt=trains" in query


def test_a_misspelt_model_is_told_the_right_one() -> None:
    with pytest.warns(UserWarning, match="did you mean universal-3-6-pro?"):
        SessionOptions().revised(speech_model="universal-3.6-pro")


@pytest.mark.parametrize("empty", ["", [], ()])
def test_what_is_given_empty_to_a_model_that_does_not_take_it_is_not_given(empty: Any) -> None:
    options = SessionOptions(language_codes=empty)
    assert options.language_codes is None
    assert SessionOptions(prompt="").prompt is None


def test_a_value_that_is_set_to_none_is_left_to_the_service() -> None:
    assert sent(min_turn_silence=None).keys() == sent().keys() - {"min_turn_silence"}
    options = SessionOptions(min_turn_silence=None).revised(max_turn_silence=900)
    assert "min_turn_silence" not in options.effective()


def test_more_parameters_are_sent_as_they_are() -> None:
    extra = {"diarizer": "v2", "strict": True, "tags": ["a", "b"], "mode": "ultra", "not": None}
    query = sent(extra_parameters=extra)
    assert query.items() >= {"diarizer": "v2", "strict": "true", "mode": "ultra"}.items()
    assert json.loads(query["tags"]) == ["a", "b"]
    assert "not" not in query


@pytest.mark.parametrize("name", sorted(CONTROLLED))
def test_what_this_package_goes_by_is_set_by_its_own_field_only(name: str) -> None:
    assert f"must not hold {name}" in faults(extra_parameters={name: "x"})["extra_parameters"]


def test_more_parameters_change_in_the_open_session_but_cannot_be_taken_back() -> None:
    old = SessionOptions(extra_parameters={"diarizer": "v1", "strict": True})
    assert old.changes(old.revised(extra_parameters={"diarizer": "v2"})) == {"diarizer": "v2"}
    with pytest.raises(ConfigurationError, match="strict cannot change"):
        old.changes(SessionOptions(extra_parameters={"diarizer": "v2"}))


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_a_parameter_says_what_it_is_for_and_which_models_take_it(name: str) -> None:
    assert (SessionOptions.model_fields[name].description or "").endswith(".")
    assert PARAMETERS[name].models


@pytest.mark.parametrize(
    ("values", "parameter"),
    [
        ({"keyterms_prompt": ["x"] * 101}, "keyterms_prompt"),
        ({"keyterms_prompt": ["x" * 51]}, "keyterms_prompt"),
        ({"keyterms_prompt": "[broken"}, "keyterms_prompt"),
        ({"prompt": "x" * 1751}, "prompt"),
        ({"agent_context": "x" * 1751}, "agent_context"),
        ({"language_codes": [f"{letter}a" for letter in "abcdefghijk"]}, "language_codes"),
        ({"language_codes": [1]}, "language_codes"),
        ({"extra_parameters": "no pairs"}, "extra_parameters"),
        ({"encoding": "opus"}, "encoding"),
        ({"language_codes": ["multi", "en"]}, "language_codes"),
        ({"voice_focus_threshold": 0.5}, "voice_focus_threshold"),
        ({"end_of_turn_confidence_threshold": 0.5}, "end_of_turn_confidence_threshold"),
        ({"inactivity_timeout": 4}, "inactivity_timeout"),
        ({"webhook_url": "ftp://nowhere"}, "webhook_url"),
    ],
)
def test_what_the_service_would_refuse_is_refused_before_connecting(
    values: dict[str, Any], parameter: str
) -> None:
    assert faults(speech_model=U3_MODEL, **values).keys() == {parameter}


def test_voice_focus_may_have_a_threshold() -> None:
    query = sent(speech_model=U3_MODEL, voice_focus="near-field", voice_focus_threshold=0.5)
    assert query["voice_focus_threshold"] == "0.5"


def test_an_old_name_is_accepted_with_a_warning() -> None:
    with pytest.warns(FutureWarning, match="is now called min_turn_silence"):
        options = SessionOptions.model_validate({"min_end_of_turn_silence_when_confident": 200})
    assert options.min_turn_silence == 200


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_the_new_name_wins_over_the_old_one() -> None:
    options = SessionOptions.model_validate(
        {"min_end_of_turn_silence_when_confident": 200, "min_turn_silence": 300}
    )
    assert options.min_turn_silence == 300


@pytest.mark.parametrize("old", sorted(RENAMED))
def test_every_old_name_leads_to_a_parameter(old: str) -> None:
    assert RENAMED[old] in PARAMETERS


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize(
    ("given", "model"),
    [
        ({"language": "multi"}, "universal-streaming-multilingual"),
        ({"language": "en"}, "universal-streaming-english"),
        ({"speech_model": "u3-pro"}, "universal-3-6-pro"),
    ],
)
def test_old_ways_to_choose_a_model_still_work(given: dict[str, str], model: str) -> None:
    assert SessionOptions.model_validate(given).speech_model == model


def test_a_model_must_be_text() -> None:
    assert faults(speech_model=3).keys() == {"speech_model"}


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_one_language_code_stands_for_a_list() -> None:
    options = SessionOptions.model_validate({"speech_model": U3_MODEL, "language_code": "es"})
    assert options.language_codes == ("es",)


@pytest.mark.parametrize(
    "secret",
    [
        {"webhook_auth_header_value": SecretStr("s3cret")},
        {"webhook_url": "https://hooks.example/s3cret"},
        {"llm_gateway": {"model": "m", "key": "s3cret"}},
        {"extra_parameters": {"tenant": "s3cret"}},
    ],
)
def test_a_secret_reaches_the_service_and_nothing_else(secret: dict[str, Any]) -> None:
    options = SessionOptions(**secret)
    assert "s3cret" in options.query()
    assert "s3cret" not in repr(options)
    assert "s3cret" not in options.model_dump_json()


def test_a_fault_does_not_show_the_value() -> None:
    with pytest.raises(ValidationError) as caught:
        SessionOptions(webhook_url="ftp://user:s3cret@hooks.example")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("name", sorted(PRESETS.keys() - {"service"}))
def test_a_preset_sets_the_three_thresholds(name: Any) -> None:
    assert SessionOptions.preset(name).effective().items() >= PRESETS[name].items()


@pytest.mark.parametrize("model", ["universal-streaming-english", U3_MODEL])
def test_the_preset_service_sends_none_of_the_three(model: str) -> None:
    options = SessionOptions(speech_model=model).with_preset("service")
    assert not options.effective().keys() & PRESETS["seed"].keys()
    assert not SessionOptions.preset("service").effective().keys() & PRESETS["seed"].keys()
    assert options.revised(min_turn_silence=300).effective()["min_turn_silence"] == 300


def test_a_value_wins_over_its_preset() -> None:
    assert SessionOptions.preset("aggressive", max_turn_silence=700).max_turn_silence == 700


def test_changes_hold_only_what_differs() -> None:
    old = SessionOptions()
    assert old.changes(old) == {}
    assert old.changes(SessionOptions(min_turn_silence=1000)) == {"min_turn_silence": 1000}
    assert SessionOptions(min_turn_silence=1000).changes(old) == {"min_turn_silence": 160}


def test_lists_change_as_real_lists_and_clear_as_empty_ones() -> None:
    old = SessionOptions(speech_model=U3_MODEL, prompt="trains")
    new = SessionOptions(speech_model=U3_MODEL, keyterms_prompt=("Aldi",))
    assert old.changes(new) == {"prompt": "", "keyterms_prompt": ["Aldi"]}
    assert new.changes(old) == {"prompt": "trains", "keyterms_prompt": []}


def test_a_change_that_needs_a_new_session_is_refused_by_name() -> None:
    old = SessionOptions(speech_model=U3_MODEL, mode="balanced")
    new = SessionOptions(speech_model=U3_MODEL, max_speakers=2, prompt="trains")
    with pytest.raises(ConfigurationError, match="mode, max_speakers cannot change while"):
        old.changes(new)


def test_options_are_faulty_unless_they_are_a_mapping() -> None:
    with pytest.raises(ValidationError):
        SessionOptions.model_validate("fast please")


def test_a_subclass_may_add_fields_that_are_never_sent() -> None:
    class Settings(SessionOptions):
        api_key: SecretStr

    assert "api_key" not in Settings(api_key=SecretStr("k")).query()


def test_the_families_are_told_apart() -> None:
    assert PARAMETERS["prompt"].models == U3


def test_revised_options_are_checked_again() -> None:
    options = SessionOptions(min_turn_silence=200)
    revised = options.revised(max_turn_silence=900)
    assert (revised.min_turn_silence, revised.max_turn_silence) == (200, 900)
    with pytest.raises(ValueError, match="prompt: the model"):
        options.revised(prompt="about trains")


def test_a_preset_fills_in_what_nobody_set() -> None:
    options = SessionOptions(speech_model="universal-streaming-english", min_turn_silence=123)
    row = PRESETS["conservative"]
    chosen = options.with_preset("conservative")
    assert chosen.min_turn_silence == 123
    assert chosen.max_turn_silence == row["max_turn_silence"]


def test_a_model_without_presets_stays_as_it_is() -> None:
    options = SessionOptions(speech_model="whisper-rt")
    assert options.with_preset("conservative") == options
