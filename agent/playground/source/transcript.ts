// Both sides' words as lines that grow, are replaced, and are mended. No DOM.

import type { Times } from "./stages";

export type Speaker = "you" | "agent";

export interface Line {
  readonly id: string;
  readonly speaker: Speaker;
  text: string;
  isFinal: boolean;
  /** Milliseconds from the end of your speech to the first sound of this answer. */
  answeredInMs?: number;
  /** Where that time went, as the agent tells. */
  times?: Times;
}

export class Transcript {
  readonly lines: Line[] = [];

  /** Open a line, or find it again: a stream with a known id replaces that line's text. */
  line(speaker: Speaker, id: string): Line {
    const known = this.lines.find((line) => line.id === id && line.speaker === speaker);
    if (known) return known;
    const fresh: Line = { id, speaker, text: "", isFinal: false };
    this.lines.push(fresh);
    return fresh;
  }

  /** The line that was answered last, where the times of that answer belong. */
  lastAnswer(): Line | undefined {
    return this.lines.filter(({ speaker }) => speaker === "agent").at(-1);
  }

  /** All of a line's text so far. Once final, only another final text replaces it. */
  take(speaker: Speaker, id: string, text: string, isFinal: boolean): Line {
    const line = this.line(speaker, id);
    if (line.isFinal && !isFinal) return line;
    line.text = text;
    line.isFinal = isFinal;
    return line;
  }
}
