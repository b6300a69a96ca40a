// Where the time of an answer went: its stages, from the end of your speech to the first sound.

/** What an agent tells of one answer, in milliseconds since your voice ended; 0 or more. */
export interface Times {
  /** The end of your turn was decided. */
  readonly decided_ms?: number;
  readonly first_token_ms?: number;
  readonly first_audio_ms?: number;
  readonly first_sound_ms: number;
}

export interface Stage {
  readonly name: "turn" | "model" | "voice" | "sound";
  readonly ms: number;
}

/** The times in a message of an agent; undefined if it holds none. */
export function timesIn(message: Uint8Array): Times | undefined {
  let told: unknown;
  try {
    told = JSON.parse(new TextDecoder().decode(message));
  } catch {
    return undefined;
  }
  const times = (told ?? {}) as Record<string, unknown>;
  const isTime = (value: unknown) => typeof value === "number" && Number.isFinite(value) && value >= 0;
  const known = ["decided_ms", "first_token_ms", "first_audio_ms", "first_sound_ms"].filter((name) => isTime(times[name]));
  if (!known.includes("first_sound_ms")) return undefined;
  return Object.fromEntries(known.map((name) => [name, times[name]])) as unknown as Times;
}

/**
 * The stages in their order. A stage that was over before the one before it took no time; one that
 * is not known is left out, and the next has its time. The last ends where you heard the answer, if
 * the page has measured that.
 */
export function stages(times: Times, measuredMs = 0): Stage[] {
  const ends = [
    ["turn", times.decided_ms],
    ["model", times.first_token_ms],
    ["voice", times.first_audio_ms],
    ["sound", Math.max(times.first_sound_ms, measuredMs)],
  ] as const;
  const found: Stage[] = [];
  let from = 0;
  for (const [name, end] of ends) {
    if (end === undefined) continue;
    found.push({ name, ms: Math.max(0, end - from) });
    from = Math.max(from, end);
  }
  return found;
}
