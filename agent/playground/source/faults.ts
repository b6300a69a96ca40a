// What can go wrong, as sentences that say what to do.
import { ConnectionError, ConnectionErrorReason, DisconnectReason } from "livekit-client";

/** A fault whose message is a sentence for the person in front of the page. */
export class Fault extends Error {}

/** Some browsers are built without what a call needs. */
export const NO_WEBRTC =
  "This browser has no WebRTC, which a call needs. Open this page in Chrome, Edge, Firefox or Safari.";

/** Why there is no microphone. The browser's own words differ, the error's name does not. */
export function microphoneFault(error: unknown): Fault {
  const name = error instanceof Error ? error.name : "";
  switch (name) {
    case "NotAllowedError":
    case "SecurityError":
      return new Fault(
        "The microphone is not allowed. Click the icon beside the address, allow the microphone, and start again, or type instead.",
      );
    case "NotFoundError":
    case "OverconstrainedError":
      return new Fault("There is no microphone. Connect one and start again, or type instead.");
    case "NotReadableError":
    case "AbortError":
      return new Fault(
        "The microphone cannot be opened: another program may be using it. Close that program and start again, or type instead.",
      );
    default:
      return new Fault(`The microphone cannot be used (${String(error)}). You can type instead.`);
  }
}

/** Why the room cannot be joined. */
export function connectionFault(error: unknown, url: string): Fault {
  if (error instanceof ConnectionError && error.reason === ConnectionErrorReason.NotAllowed)
    return new Fault(
      `LiveKit at ${url} refuses the key. Check that LIVEKIT_API_KEY and LIVEKIT_API_SECRET belong to this server.`,
    );
  return new Fault(`LiveKit at ${url} cannot be reached. Is its server running?`);
}

const ENDINGS: Record<string, string> = {
  cannot_hear: "The agent ended the call: its speech recognition failed.",
  cannot_think: "The agent ended the call: its language model failed.",
  cannot_speak: "The agent ended the call: its voice failed.",
  caller_silent: "The agent ended the call: it heard nothing for too long.",
  agent_ended: "The agent ended the call.",
  too_long: "The call reached its longest duration.",
  hurried: "The call ended: the worker was stopped.",
  worker_stopped: "The worker was stopped. When one runs again, an agent comes to this call.",
  fault: "The agent ended the call: it has a fault. The worker's log says which.",
};

/** Why a call is over, by the agent's own code (`agent.ending`). */
export function ended(code: string): string {
  return ENDINGS[code] ?? `The agent ended the call (${code}).`;
}

/** Whether a connection that was lost for this reason is worth another try. */
export function comesBack(reason: DisconnectReason | undefined): boolean {
  switch (reason) {
    case DisconnectReason.CLIENT_INITIATED:
    case DisconnectReason.DUPLICATE_IDENTITY:
    case DisconnectReason.PARTICIPANT_REMOVED:
    case DisconnectReason.ROOM_DELETED:
    case DisconnectReason.ROOM_CLOSED:
      return false;
    default:
      return true;
  }
}

/** Why no agent is here yet. */
export function noAgent(agentName: string, url: string): string {
  return agentName
    ? `No agent has come. This page asks for the agent “${agentName}”: is a worker running with AGENT_NAME=${agentName}, on ${url}?`
    : `No agent has come. Is a worker running, without AGENT_NAME, on ${url}? (python agent.py dev)`;
}
