// Which agent the page shows while two are in the room: one hands its call over to the other.
import * as names from "./names";

/** What is known of a participant that answers. */
export interface Answering {
  readonly identity: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Shows one agent throughout: the next one when it has the caller, or when the first is gone. */
export class Shown<Agent extends Answering> {
  current: Agent | undefined;
  private readonly past = new Set<string>();

  /** This agent is here, or shows something. Returns whether it is the one to show. */
  meet(agent: Agent): boolean {
    const { current } = this;
    if (agent.identity === current?.identity) this.current = agent;
    else if (this.past.has(agent.identity) || (current && !agent.attributes[names.CALLER])) return false;
    else {
      if (current) this.past.add(current.identity);
      this.current = agent;
    }
    return true;
  }

  /** This agent has left; these are here. Returns whether it was the one that was shown. */
  part(identity: string, others: Iterable<Agent>): boolean {
    if (identity !== this.current?.identity) return false;
    this.past.add(identity);
    this.current = [...others].find((other) => !this.past.has(other.identity));
    return true;
  }

  /** Nobody is shown: the connection was lost, and who comes may be anybody. */
  forget(): void {
    this.current = undefined;
    this.past.clear();
  }
}
