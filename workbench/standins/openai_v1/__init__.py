"""OpenAI's chat completions and speech, answered by rules and an embedded voice."""
