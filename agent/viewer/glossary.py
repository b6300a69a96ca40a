"""What the page's words mean, for readers who do not know the trade's."""

GLOSSARY = {
    "stt": "Speech to text: until AssemblyAI's last word of the turn was final.",
    "end_of_turn": "Endpointing: until AssemblyAI said that the caller's turn was over.",
    "hold": "The agent's own end-of-turn detector kept the end back, for the caller may go on.",
    "commit": "Commit: until the session had taken the turn over and asked for a reply. It may "
    "wait for the formatted text.",
    "tool": "A function that the language model called before it could answer.",
    "llm": "The language model: until the first piece of its answer came.",
    "clause": "Until the first clause was complete and went to the voice.",
    "tts": "Text to speech: until the voice's first byte came.",
    "playout": "Until the first sound of the reply went to the room.",
    "formatted": "The words with capitals, digits and punctuation; AssemblyAI sends it later.",
    "preset": "How patiently an end of turn is awaited: AGENT_TURN_PRESET.",
    "barge_in": "The caller speaks over the agent, and it falls silent. A false one was no turn.",
    "backchannel": "A sound such as mhm, which means that the caller listens.",
    "preemptive": "A reply that was begun before the turn was over: used, or thrown away.",
}
"""By the key of a stage (`agent.records.stages`), or of a word in `page.js`."""
