"""A secret that the service repeats does not come in; words are left as they are."""

import pytest
from pydantic import SecretStr

from stt_assemblyai.masking import MASKED, mask_for


@pytest.mark.parametrize("text", ["of-32-characters", "t0ken/t0ken", "t0ken%2Ft0ken", "h00k-h00k"])
def test_the_key_and_the_secrets_of_the_query_are_masked(text: str) -> None:
    query = "sample_rate=16000&token=t0ken%2Ft0ken&webhook_auth_header_value=h00k-h00k"
    masked = mask_for(query, SecretStr("of-32-characters"))
    assert masked(f"<{text}>") == f"<{MASKED}>"


def test_what_is_no_secret_is_left_as_it_is() -> None:
    masked = mask_for("sample_rate=16000000&speech_model=whisper-rt", None)
    assert masked("whisper-rt at 16000000") == "whisper-rt at 16000000"


def test_a_key_as_short_as_a_word_masks_no_words() -> None:
    assert mask_for("", SecretStr("key"))("the key of C") == "the key of C"
