// How long you waited for an answer, from sound to sound. No clock of its own: times are arguments.
import type { Speaker } from "./transcript";

/** A louder sound than this is a voice (root mean square, full scale is 1). */
export const VOICE = 0.01;
/** So many seconds of quiet separate two stretches of the agent's speech. */
const GAP_SECONDS = 0.7;
/** A voice that is shorter than this is a click. */
const SHORTEST_SECONDS = 0.06;
/** Whatever the agent says later than this is no answer. */
const LONGEST_SECONDS = 30;

export class TurnTimer {
  private agentHeardAt = -Infinity;
  private youHeardAt = -Infinity;
  private youVoicedSeconds = 0;

  /**
   * Take the loudness of one side at a moment, in seconds of one clock for both.
   * Returns the milliseconds that you waited when this is the first sound of an answer.
   */
  hear(speaker: Speaker, level: number, at: number, duration: number): number | undefined {
    if (level < VOICE) return undefined;
    if (speaker === "you") {
      this.youHeardAt = at;
      this.youVoicedSeconds += duration;
      return undefined;
    }
    const isOnset = at - this.agentHeardAt > GAP_SECONDS;
    const wait = at - duration - this.youHeardAt;
    const spoke = this.youVoicedSeconds >= SHORTEST_SECONDS && this.youHeardAt > this.agentHeardAt;
    this.agentHeardAt = at;
    if (!isOnset || !spoke) return undefined;
    this.youVoicedSeconds = 0;
    return wait >= 0 && wait <= LONGEST_SECONDS ? Math.round(wait * 1000) : undefined;
  }
}
