// Wires the page's controls to a call.
import { LogLevel, Room, setLogLevel } from "livekit-client";
import { Call } from "./call";
import { recordOf } from "./invitation";
import { find, View } from "./view";

const view = new View();
let call: Call | undefined;

function begin(withMicrophone: boolean): void {
  view.clear();
  view.notice("");
  const controls = [...document.querySelectorAll<HTMLButtonElement>("#dock button, #dock input, #dock select")];
  for (const control of controls) control.disabled = false;
  call = new Call({
    phase: (phase) => view.phase(phase),
    agentState: (state, isDictated) => view.agentState(state, isDictated),
    preset: (preset) => view.preset(preset),
    place: ({ room, url }) => view.place(room, url),
    line: (line) => view.line(line),
    level: (speaker, level) => view.level(speaker, level),
    notice: (sentence) => view.notice(sentence),
    silenced: (isSilenced) => (find("sound-on").hidden = !isSilenced),
    muted: showMuted,
    over: (sentence, isFault) => end(sentence, isFault),
  });
  showMuted(!withMicrophone);
  find("talk").hidden = true;
  find("dock").hidden = false;
  (withMicrophone ? find("mute") : find("text")).focus();
  void call.start(withMicrophone).then(showDevices);
}

function end(sentence: string, isFault: boolean): void {
  view.phase("idle");
  view.say(isFault ? "No call" : sentence);
  view.notice(isFault ? sentence : "");
  find("sound-on").hidden = true;
  find("dock").hidden = true;
  find("talk").hidden = false;
  find("start").focus();
  void showRecord(call?.roomName);
}

async function showRecord(room: string | undefined): Promise<void> {
  const link = find<HTMLAnchorElement>("record");
  link.hidden = true;
  const address = room && (await recordOf(room));
  if (!address) return;
  link.href = address;
  link.hidden = false;
}

function showMuted(isMuted: boolean): void {
  const button = find("mute");
  button.setAttribute("aria-pressed", String(isMuted));
  button.title = isMuted ? "Turn the microphone on" : "Mute the microphone";
  document.body.dataset.muted = String(isMuted);
}

async function showDevices(): Promise<void> {
  for (const [id, kind] of [["microphones", "audioinput"], ["speakers", "audiooutput"]] as const) {
    const list = find<HTMLSelectElement>(id);
    const devices = await Room.getLocalDevices(kind, false).catch(() => []);
    const named = devices.filter((device) => device.label);
    list.replaceChildren(...named.map((device) => new Option(device.label, device.deviceId)));
    find(`${id}-row`).hidden = named.length === 0 || (kind === "audiooutput" && !("setSinkId" in HTMLMediaElement.prototype));
  }
}

find("start").onclick = () => begin(true);
find("type").onclick = () => begin(false);
find("hang-up").onclick = () => void call?.hangUp();
find("mute").onclick = () => void call?.toggleMicrophone();
find("sound-on").onclick = () => void call?.turnSoundOn();
find("more").onclick = () => {
  const panel = find("panel");
  panel.hidden = !panel.hidden;
  find("more").setAttribute("aria-expanded", String(!panel.hidden));
};
find("chat").onsubmit = (event) => {
  event.preventDefault();
  const text = find<HTMLInputElement>("text");
  if (!text.value.trim()) return;
  call?.type(text.value.trim()).catch(() => view.notice("That could not be sent: the call is not connected."));
  text.value = "";
};
find("presets").onchange = (event) => {
  const preset = (event.target as HTMLInputElement).value;
  call?.setPreset(preset).then(
    () => view.notice(""),
    (error: Error) => view.notice(`The agent does not take the preset ${preset}: ${error.message}`),
  );
};
find("keypad").onclick = (event) => {
  const digit = (event.target as HTMLElement).dataset.digit;
  if (digit) void call?.pressKey(digit).then(() => (find("pressed").textContent += digit));
};
for (const [id, kind] of [["microphones", "audioinput"], ["speakers", "audiooutput"]] as const) {
  find<HTMLSelectElement>(id).onchange = (event) => void call?.useDevice(kind, (event.target as HTMLSelectElement).value);
}
navigator.mediaDevices?.addEventListener("devicechange", () => void (call && showDevices()));
setLogLevel(LogLevel.warn);
view.phase("idle");
