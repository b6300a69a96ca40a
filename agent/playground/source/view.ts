// Draws a call into the page, and nothing else.
import type { Phase } from "./call";
import type { Stage } from "./stages";
import { stages } from "./stages";
import type { Line, Speaker } from "./transcript";

const PHASES: Record<Phase, string> = {
  idle: "Ready",
  microphone: "Waiting for your permission",
  connecting: "Connecting",
  waiting: "Waiting for the agent",
  busy: "All agents are busy. You are next when one is free",
  talking: "Connected",
  reconnecting: "The connection broke. Reconnecting",
  away: "The server is away. This page joins again when it is back",
};
const STATES: Record<string, string> = {
  initializing: "The agent gets ready",
  listening: "Listening",
  thinking: "Thinking",
  speaking: "Speaking",
};
const STAGES: Record<Stage["name"], [string, string]> = {
  turn: ["your turn", "Until the end of your turn was decided"],
  model: ["model", "Until the language model’s first word"],
  voice: ["voice", "Until the first sound of the voice"],
  sound: ["way", "Until you heard it"],
};
const LOUDEST_DB = -10;
const SOFTEST_DB = -50;
const FRAME_MS = 40;
/** A wait that fills the bar. */
const LONGEST_WAIT_MS = 3000;

export function find<T extends HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error(`no element #${id}`);
  return element as T;
}

export class View {
  private readonly rows = new Map<string, HTMLLIElement>();
  private readonly lines = find<HTMLOListElement>("lines");
  private readonly levels: Record<Speaker, number> = { you: 0, agent: 0 };
  private isDrawing = false;

  phase(phase: Phase): void {
    document.body.dataset.phase = phase;
    document.body.dataset.agent = "";
    this.say(PHASES[phase]);
  }

  agentState(state: string, isDictated: boolean): void {
    document.body.dataset.agent = state;
    const sentence = STATES[state] ?? state;
    this.say(isDictated && state === "listening" ? `${sentence}: dictate at your own pace` : sentence);
  }

  preset(preset: string): void {
    document.body.dataset.preset = preset;
    for (const choice of document.querySelectorAll<HTMLInputElement>("#presets input")) choice.checked = choice.value === preset;
  }

  notice(sentence: string): void {
    find("notice").textContent = sentence;
  }

  say(sentence: string): void {
    const status = find("status");
    if (status.textContent !== sentence) status.textContent = sentence;
  }

  place(room: string, server: string): void {
    find("room").textContent = room;
    find("server").textContent = server;
  }

  /** Empty the conversation. */
  clear(): void {
    this.rows.clear();
    this.lines.replaceChildren();
  }

  line(line: Line): void {
    if (!line.text.trim()) return;
    const row = this.row(line);
    const words = row.querySelector(".words");
    if (words && words.textContent !== line.text) words.textContent = line.text;
    row.dataset.final = String(line.isFinal);
    // Who types may read with a screen reader; who talks hears the agent, and nobody else.
    if (line.isFinal && line.speaker === "agent" && document.body.dataset.muted === "true")
      find("said").textContent = `Agent: ${line.text}`;
    const { answeredInMs: waitedMs = line.times?.first_sound_ms, times } = line;
    if (waitedMs === undefined || row.querySelector(times ? ".stages" : ".wait")) return;
    row.querySelector(".wait")?.remove();
    row.append(wait(waitedMs, times ? stages(times, waitedMs) : []));
  }

  level(speaker: Speaker, level: number): void {
    this.levels[speaker] = Math.max(level, this.levels[speaker]);
    if (this.isDrawing) return;
    this.isDrawing = true;
    setTimeout(() => requestAnimationFrame(() => this.draw()), FRAME_MS);
  }

  private draw(): void {
    this.isDrawing = false;
    for (const speaker of ["you", "agent"] as const) {
      const db = 20 * Math.log10(this.levels[speaker] + 1e-6);
      const share = Math.min(1, Math.max(0, (db - SOFTEST_DB) / (LOUDEST_DB - SOFTEST_DB)));
      find(`level-${speaker}`).style.setProperty("--level", share.toFixed(2));
      this.levels[speaker] *= 0.7;
    }
  }

  private row(line: Line): HTMLLIElement {
    const key = `${line.speaker} ${line.id}`;
    const known = this.rows.get(key);
    if (known) return known;
    const row = document.createElement("li");
    row.className = line.speaker;
    row.append(part("who", line.speaker === "you" ? "You" : "Agent"), part("words", ""));
    this.rows.set(key, row);
    this.lines.append(row);
    return row;
  }
}

function part(name: string, text: string): HTMLElement {
  const element = document.createElement("span");
  element.className = name;
  element.textContent = text;
  return element;
}

/** How long an answer took: a bar, in colours if its stages are known, and the figures as text. */
function wait(milliseconds: number, known: Stage[]): HTMLElement {
  const shown = part("wait", "");
  const bar = part("bar", "");
  for (const { name, ms } of known.length ? known : [{ name: "", ms: milliseconds }]) {
    const piece = part("piece", "");
    piece.dataset.stage = name;
    piece.style.setProperty("--share", String(ms / Math.max(LONGEST_WAIT_MS, milliseconds)));
    bar.append(piece);
  }
  shown.append(bar, part("total", `answered in ${seconds(milliseconds)} s`));
  shown.title = `${milliseconds} ms from the end of your speech to the first sound of this answer`;
  if (!known.length) return shown;
  const list = part("stages", "");
  for (const { name, ms } of known) {
    const stage = part("stage", `${STAGES[name][0]} ${seconds(ms)}`);
    stage.dataset.stage = name;
    stage.title = STAGES[name][1];
    list.append(stage);
  }
  shown.append(list);
  return shown;
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(2);
}
