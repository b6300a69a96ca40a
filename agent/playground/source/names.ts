// What LiveKit's agents and ours call things in a room. A test compares these with the worker's.
export const TRANSCRIPTION = "lk.transcription";
export const SEGMENT_ID = "lk.segment_id";
export const IS_FINAL = "lk.transcription_final";
export const CHAT = "lk.chat";
export const AGENT_STATE = "lk.agent.state";
export const CALLER = "agent.caller";
export const ROLE = "agent.role";
export const TRANSCRIBES = "transcribes";
export const ENDING = "agent.ending";
export const WAITING = "agent.waiting";
export const TURN_PRESET = "agent.turn_preset";
export const PRESET = "agent.turn_preset";
export const DICTATION = "agent.dictation";
export const TURN_TIMES = "agent.turn_times";
