// The page's own server makes the token; it is on this machine.
import { Fault } from "./faults";

export interface Invitation {
  readonly url: string;
  readonly token: string;
  readonly room: string;
  /** The agent that the token asks for; empty: whichever comes by itself. */
  readonly agentName: string;
}

/** Ask for a token: for a new room, or for the place that was lost. Throws a Fault. */
export async function invitation(lost?: Invitation): Promise<Invitation> {
  let response: Response;
  try {
    response = await fetch("/join", { method: "POST", body: lost?.token, signal: AbortSignal.timeout(5000) });
  } catch {
    throw new Fault("The program behind this page has ended. Start it again: make run, or python agent.py playground.");
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Fault(body.error ?? `The page's server answers ${response.status}.`);
  return body as Invitation;
}

/** Whether the program behind this page still runs; when it stops, its agent ends the call first. */
export async function isServed(): Promise<boolean> {
  try {
    return (await fetch("/icon.svg", { signal: AbortSignal.timeout(2000) })).ok;
  } catch {
    return false;
  }
}

/** Where the record of the call in a room is; undefined if there is none on this machine. */
export async function recordOf(room: string): Promise<string | undefined> {
  const address = `/calls/${encodeURIComponent(room)}`;
  const { ok } = await fetch(address, { method: "HEAD" }).catch(() => ({ ok: false }));
  return ok ? address : undefined;
}
