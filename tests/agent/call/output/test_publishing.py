"""How the agent's voices are published."""

from livekit import rtc

from agent.call.output.publishing import publish_options

MICROPHONE = rtc.TrackSource.SOURCE_MICROPHONE
CHEAP_SILENCE_FROM = 64_000
"""Below this Opus encodes silence as it does a voice."""


def test_silence_is_encoded_the_cheap_way_and_not_sent() -> None:
    options = publish_options()
    assert options.audio_encoding.max_bitrate >= CHEAP_SILENCE_FROM
    assert not options.HasField("dtx")  # LiveKit's default is to send no silence
    assert not options.HasField("red")  # and each packet twice


def test_a_voice_of_its_own_source_is_one() -> None:
    assert publish_options(MICROPHONE).source == MICROPHONE
