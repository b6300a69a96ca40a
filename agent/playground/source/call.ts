// One call: a room, both voices, both sides' words. It tells what happens, and draws nothing.
import {
  createLocalAudioTrack,
  DisconnectReason,
  isBrowserSupported,
  type LocalAudioTrack,
  type Participant,
  ParticipantKind,
  type RemoteParticipant,
  type RemoteTrack,
  Room,
  RoomEvent,
  type TextStreamReader,
  Track,
} from "livekit-client";
import { Shown } from "./agents";
import { comesBack, connectionFault, ended, Fault, microphoneFault, NO_WEBRTC, noAgent } from "./faults";
import { type Invitation, invitation, isServed } from "./invitation";
import { Levels } from "./levels";
import * as names from "./names";
import { timesIn } from "./stages";
import { TurnTimer } from "./timing";
import { type Line, type Speaker, Transcript } from "./transcript";

const AGENT_SECONDS = 8;
const ATTEMPT_PAUSES_SECONDS = [0.5, 1, 2, 3];
const ANSWER_SECONDS = 3;
/** So long the old connection is tried, before the page joins the same room with a new one. */
const RESUME_MS = 8000;

/** Where a call is. `away`: the server is gone, and the page tries to join again. */
export type Phase = "idle" | "microphone" | "connecting" | "waiting" | "busy" | "talking" | "reconnecting" | "away";

/** What a call tells whoever shows it. */
export interface Watcher {
  phase(phase: Phase): void;
  /** The agent's own word for what it does, such as listening; and whether it waits for dictation. */
  agentState(state: string, isDictated: boolean): void;
  /** The preset in force: how patient the agent is. */
  preset(preset: string): void;
  place(invited: Invitation): void;
  line(line: Line): void;
  level(speaker: Speaker, level: number): void;
  notice(sentence: string): void;
  muted(isMuted: boolean): void;
  /** The browser plays no sound before somebody clicks. */
  silenced(isSilenced: boolean): void;
  over(sentence: string, isFault: boolean): void;
}

export class Call {
  readonly transcript = new Transcript();
  private readonly room = new Room({
    stopLocalTrackOnUnpublish: false,
    reconnectPolicy: { nextRetryDelayInMs: ({ elapsedMs }) => (elapsedMs < RESUME_MS ? 700 : null) },
  });
  private readonly timer = new TurnTimer();
  private readonly levels = new Levels((...level) => this.hear(...level));
  private microphone: LocalAudioTrack | undefined;
  private invited: Invitation | undefined;
  private readonly agents = new Shown<RemoteParticipant>();
  private ending = "";
  private isOver = false;
  private agentTimer = 0;
  private answer: { waitedMs: number; until: number } | undefined;

  constructor(private readonly watcher: Watcher) {
    this.listen();
  }

  /** The room of the call; undefined before the page has been invited. */
  get roomName(): string | undefined {
    return this.invited?.room;
  }

  /** Join a room with an open microphone, or without one. Ends in `over` when that fails. */
  async start(withMicrophone: boolean): Promise<void> {
    try {
      if (!isBrowserSupported()) throw new Fault(NO_WEBRTC);
      if (withMicrophone) await this.openMicrophone();
      this.watcher.phase("connecting");
      await this.join();
    } catch (error) {
      this.finish(error instanceof Error ? error.message : String(error), true);
    }
  }

  async hangUp(): Promise<void> {
    this.finish("You hung up.", false);
    await this.room.disconnect();
  }

  /** Mute the microphone or open it; without one yet, ask for it. */
  async toggleMicrophone(): Promise<void> {
    try {
      if (!this.microphone) {
        await this.openMicrophone();
        await this.publish();
      } else if (this.microphone.isMuted) await this.microphone.unmute();
      else await this.microphone.mute();
    } catch (error) {
      this.watcher.notice((error instanceof Fault ? error : microphoneFault(error)).message);
    }
    this.watcher.muted(!this.microphone || this.microphone.isMuted);
  }

  /** Send words as if they had been spoken. */
  async type(text: string): Promise<void> {
    const { id } = await this.room.localParticipant.sendText(text, { topic: names.CHAT });
    this.watcher.line(this.transcript.take("you", id, text, true));
  }

  /** Choose how patient the agent is. Throws what the agent answers. */
  async setPreset(preset: string): Promise<void> {
    if (!this.agents.current) throw new Fault("No agent is here yet.");
    const request = { destinationIdentity: this.agents.current.identity, method: names.TURN_PRESET, payload: preset };
    await this.room.localParticipant.performRpc(request);
  }

  async pressKey(digit: string): Promise<void> {
    const code = "0123456789*#".indexOf(digit);
    await this.room.localParticipant.publishDtmf(code, digit);
  }

  async useDevice(kind: MediaDeviceKind, id: string): Promise<void> {
    try {
      await this.room.switchActiveDevice(kind, id);
    } catch (error) {
      this.watcher.notice(microphoneFault(error).message);
      return;
    }
    if (kind === "audioinput" && this.microphone) void this.levels.add("you", this.microphone.mediaStreamTrack);
  }

  async turnSoundOn(): Promise<void> {
    await this.room.startAudio();
  }

  private async openMicrophone(): Promise<void> {
    this.watcher.phase(this.invited ? "talking" : "microphone");
    if (!navigator.mediaDevices) throw new Fault("This browser offers no microphone here: open the page at localhost.");
    try {
      this.microphone = await createLocalAudioTrack();
    } catch (error) {
      throw microphoneFault(error);
    }
    void this.levels.add("you", this.microphone.mediaStreamTrack);
  }

  private async join(): Promise<void> {
    this.invited = await invitation(this.invited);
    this.watcher.place(this.invited);
    try {
      await this.room.connect(this.invited.url, this.invited.token);
    } catch (error) {
      if (this.isOver) return;
      throw connectionFault(error, this.invited.url);
    }
    if (this.isOver) return void this.room.disconnect();
    await this.publish();
    this.awaitAgent();
    for (const participant of this.room.remoteParticipants.values()) this.meet(participant);
    this.watcher.silenced(!this.room.canPlaybackAudio);
  }

  private async publish(): Promise<void> {
    if (this.microphone)
      await this.room.localParticipant.publishTrack(this.microphone, { source: Track.Source.Microphone });
    this.watcher.muted(!this.microphone || this.microphone.isMuted);
  }

  private listen(): void {
    this.room
      .on(RoomEvent.ParticipantConnected, (participant) => this.meet(participant))
      .on(RoomEvent.ParticipantDisconnected, (participant) => this.part(participant))
      .on(RoomEvent.ParticipantAttributesChanged, (_changed, participant) => this.meet(participant))
      .on(RoomEvent.TrackSubscribed, (track) => this.play(track))
      .on(RoomEvent.TrackUnsubscribed, (track) => this.stop(track))
      .on(RoomEvent.DataReceived, (message, _from, _kind, topic) => this.tellStages(message, topic))
      .on(RoomEvent.AudioPlaybackStatusChanged, () => this.watcher.silenced(!this.room.canPlaybackAudio))
      .on(RoomEvent.SignalReconnecting, () => this.reconnect())
      .on(RoomEvent.Reconnecting, () => this.reconnect())
      .on(RoomEvent.Reconnected, () => this.resume())
      .on(RoomEvent.Disconnected, (reason) => void this.lose(reason));
    this.room.registerTextStreamHandler(names.TRANSCRIPTION, (reader, { identity }) => void this.read(reader, identity));
  }

  private meet(participant: Participant): void {
    if (participant.isLocal || participant.kind !== ParticipantKind.AGENT) return;
    if (participant.attributes[names.WAITING]) {
      if (this.agents.current) return;
      clearTimeout(this.agentTimer);
      this.watcher.notice("");
      this.watcher.phase("busy");
      return;
    }
    const isFirst = !this.agents.current;
    if (!answers(participant) || !this.agents.meet(participant as RemoteParticipant)) return;
    if (isFirst) {
      clearTimeout(this.agentTimer);
      this.watcher.notice("");
      this.watcher.phase("talking");
    }
    this.showAgent(participant);
  }

  private part(participant: RemoteParticipant): void {
    const isWaiting = !this.agents.current && participant.attributes[names.WAITING];
    const others = [...this.room.remoteParticipants.values()].filter(answers);
    if (this.isOver || !(this.agents.part(participant.identity, others) || isWaiting)) return;
    if (this.agents.current) this.showAgent(this.agents.current);
    else this.awaitAgent();
  }

  private awaitAgent(): void {
    this.watcher.phase("waiting");
    clearTimeout(this.agentTimer);
    const { agentName, url } = this.invited as Invitation;
    this.agentTimer = window.setTimeout(() => this.watcher.notice(noAgent(agentName, url)), AGENT_SECONDS * 1000);
  }

  private reconnect(): void {
    clearTimeout(this.agentTimer);
    this.watcher.phase("reconnecting");
  }

  private resume(): void {
    if (!this.agents.current) return this.awaitAgent();
    this.watcher.phase("talking");
    this.showAgent(this.agents.current);
  }

  private showAgent({ attributes }: Participant): void {
    this.ending = attributes[names.ENDING] ?? "";
    if (this.ending) this.watcher.notice(ended(this.ending));
    this.watcher.agentState(attributes[names.AGENT_STATE] ?? "initializing", attributes[names.DICTATION] === "true");
    this.watcher.preset(attributes[names.PRESET] ?? "");
  }

  private async lose(reason: DisconnectReason | undefined): Promise<void> {
    if (this.isOver) return;
    this.agents.forget();
    clearTimeout(this.agentTimer);
    if (!comesBack(reason) && (await isServed())) {
      this.finish(this.ending ? ended(this.ending) : "The call is over: the room was closed.", false);
      return;
    }
    this.watcher.phase("away");
    for (let attempt = 0; !this.isOver; attempt++) {
      await pause(ATTEMPT_PAUSES_SECONDS[attempt] ?? 3);
      if (this.isOver) return;
      try {
        return await this.join();
      } catch (error) {
        if (error instanceof Fault) this.watcher.notice(error.message);
      }
    }
  }

  private play(track: RemoteTrack): void {
    if (track.kind !== Track.Kind.Audio) return;
    document.body.append(track.attach());
    void this.levels.add("agent", track.mediaStreamTrack);
  }

  private stop(track: RemoteTrack): void {
    for (const element of track.detach()) element.remove();
    this.levels.remove(track.mediaStreamTrack);
  }

  private hear(speaker: Speaker, level: number, at: number, duration: number): void {
    const muted = speaker === "you" && this.microphone?.isMuted;
    this.watcher.level(speaker, muted ? 0 : level);
    const waitedMs = muted ? undefined : this.timer.hear(speaker, level, at, duration);
    if (waitedMs === undefined) return;
    const last = this.transcript.lines.at(-1);
    if (last?.speaker === "agent" && !last.isFinal && last.answeredInMs === undefined) this.time(last, waitedMs);
    else this.answer = { waitedMs, until: performance.now() + ANSWER_SECONDS * 1000 };
  }

  private time(line: Line, waitedMs: number): void {
    line.answeredInMs = waitedMs;
    this.answer = undefined;
    this.watcher.line(line);
  }

  private tellStages(message: Uint8Array, topic: string | undefined): void {
    const times = topic === names.TURN_TIMES ? timesIn(message) : undefined;
    const line = this.transcript.lastAnswer();
    if (!times || !line || line.times) return;
    line.times = times;
    this.watcher.line(line);
  }

  private async read(reader: TextStreamReader, identity: string): Promise<void> {
    const speaker = identity === this.room.localParticipant.identity ? "you" : "agent";
    const isFinal = () => reader.info.attributes?.[names.IS_FINAL] === "true";
    const id = reader.info.attributes?.[names.SEGMENT_ID] ?? reader.info.id;
    const said = isFinal();
    const line = this.transcript.line(speaker, id);
    if (speaker === "agent" && this.answer && performance.now() < this.answer.until) this.time(line, this.answer.waitedMs);
    let text = "";
    try {
      for await (const piece of reader) {
        text += piece;
        this.watcher.line(this.transcript.take(speaker, id, text, said));
      }
    } catch {
      return; // the room closed
    }
    if (isFinal()) this.watcher.line(this.transcript.take(speaker, id, text, true)); // the trailer may say so
  }

  private finish(sentence: string, isFault: boolean): void {
    if (this.isOver) return;
    this.isOver = true;
    clearTimeout(this.agentTimer);
    this.microphone?.stop();
    for (const speaker of ["you", "agent"] as const) this.watcher.level(speaker, 0);
    this.levels.close();
    this.watcher.over(sentence, isFault);
  }
}

function answers({ kind, attributes }: Participant): boolean {
  return kind === ParticipantKind.AGENT && attributes[names.ROLE] !== names.TRANSCRIBES && !attributes[names.WAITING];
}

function pause(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
