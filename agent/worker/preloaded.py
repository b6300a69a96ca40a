"""Loads, compiles and builds beforehand what every first call would do on its event loop.

The process from which all job processes are forked imports this once. Nothing here may start a
thread or leave an event loop behind.
"""

# ruff: noqa: F401 - imported to be there
import anyio.streams.stapled
import livekit.agents.llm.async_toolset
import livekit.agents.voice.report
import numpy.fft
import openai.pagination
import openai.resources.audio.audio
import openai.resources.audio.speech
import openai.resources.audio.transcriptions
import openai.resources.audio.translations
import openai.resources.audio.voice_consents
import openai.resources.audio.voices
import openai.resources.chat.chat
import openai.resources.chat.completions.messages
import openai.resources.models
from livekit.agents.llm import AgentConfigUpdate
from livekit.agents.tokenize.basic import hyphenate_word

import agent.worker.hosts.program
from agent.call.output.canned_prompts import read_canned_prompts
from agent.livekit_private import certificates, preload_event_loop

# Hyphenation patterns, which keep transcripts in step with the voice: 65 ms.
hyphenate_word("preloaded")
# The machine's certificates, which even a job without TLS parses when it ends: 85 ms.
certificates()
# What OpenAI's client waits with.
preload_event_loop()
# pydantic finishes a model at its first use.
AgentConfigUpdate()
# The canned prompts, for when every provider fails.
read_canned_prompts()
