import assert from "node:assert/strict";
import test from "node:test";
import { TurnTimer } from "./timing";
import type { Speaker } from "./transcript";

const STEP = 0.01;
const LOUD = 0.1;

/** Hear somebody for a while, 10 ms at a time; returns the waits that were measured. */
function hear(timer: TurnTimer, speaker: Speaker, from: number, to: number, level = LOUD): number[] {
  const waits: (number | undefined)[] = [];
  for (let at = from + STEP; at <= to + STEP / 2; at += STEP) waits.push(timer.hear(speaker, level, at, STEP));
  return waits.filter((wait) => wait !== undefined);
}

test("a wait is from the end of your speech to the first sound of the answer, once", () => {
  const timer = new TurnTimer();
  hear(timer, "you", 1, 2);
  hear(timer, "you", 2, 2.8, 0.001); // quiet
  assert.deepEqual(hear(timer, "agent", 2.8, 4), [800]);
});

test("a pause within the answer is no second answer", () => {
  const timer = new TurnTimer();
  hear(timer, "you", 1, 2);
  hear(timer, "agent", 3, 4);
  assert.deepEqual(hear(timer, "agent", 4.5, 5), []);
  assert.deepEqual(hear(timer, "agent", 7, 8), []);
});

test("a greeting, a click and what comes much later are no answers", () => {
  const timer = new TurnTimer();
  assert.deepEqual(hear(timer, "agent", 1, 2), []);
  hear(timer, "you", 3, 3.03);
  assert.deepEqual(hear(timer, "agent", 5, 6), []);
  hear(timer, "you", 8, 9);
  assert.deepEqual(hear(timer, "agent", 60, 61), []);
});

test("words over the agent are timed to its next answer", () => {
  const timer = new TurnTimer();
  hear(timer, "you", 1, 2);
  hear(timer, "agent", 3, 4);
  hear(timer, "you", 3.8, 5);
  assert.deepEqual(hear(timer, "agent", 6, 7), [1000]);
});
