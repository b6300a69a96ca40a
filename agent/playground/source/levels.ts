// How loud both voices are, on one clock: that of the page's audio.
import type { Speaker } from "./transcript";

/** Loudness (root mean square, 0 to 1) of a stretch that ended at `at` seconds. */
export type Level = (speaker: Speaker, level: number, at: number, duration: number) => void;

export class Levels {
  private readonly context = new AudioContext();
  private readonly ready = this.context.audioWorklet.addModule("/meter.js");
  private readonly sinks = new Map<string, AudioNode[]>();

  /** Make it in a click: Safari lets sound be measured only from there, and a track may come later. */
  constructor(private readonly tell: Level) {
    void this.context.resume(); // it may never be done, where there is nothing to play sound on
  }

  /** Measure a track until it is removed. */
  async add(speaker: Speaker, track: MediaStreamTrack): Promise<void> {
    void this.context.resume();
    await this.ready;
    this.remove(track);
    const source = this.context.createMediaStreamSource(new MediaStream([track]));
    const meter = new AudioWorkletNode(this.context, "meter");
    const silence = new GainNode(this.context, { gain: 0 });
    meter.port.onmessage = ({ data: [level, at, duration] }) => this.tell(speaker, level, at, duration);
    source.connect(meter).connect(silence).connect(this.context.destination);
    this.sinks.set(track.id, [source, meter, silence]);
  }

  remove(track: MediaStreamTrack): void {
    for (const node of this.sinks.get(track.id) ?? []) node.disconnect();
    this.sinks.delete(track.id);
  }

  close(): void {
    for (const nodes of this.sinks.values()) for (const node of nodes) node.disconnect();
    this.sinks.clear();
    void this.context.close();
  }
}
