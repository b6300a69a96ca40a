import assert from "node:assert/strict";
import { test } from "node:test";
import { stages, timesIn } from "./stages";

const message = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const ALL = { decided_ms: 200, first_token_ms: 350, first_audio_ms: 500, first_sound_ms: 600 };
const lengths = (...told: Parameters<typeof stages>) => stages(...told).map(({ name, ms }) => `${name} ${ms}`);

test("stages follow each other, and the last ends where the page heard the answer", () => {
  assert.deepEqual(lengths(ALL), ["turn 200", "model 150", "voice 150", "sound 100"]);
  assert.deepEqual(lengths(ALL, 720), ["turn 200", "model 150", "voice 150", "sound 220"]);
});

test("a stage that was over early took no time, and one that is not known is left out", () => {
  assert.deepEqual(lengths({ ...ALL, first_token_ms: 100 }), ["turn 200", "model 0", "voice 300", "sound 100"]);
  assert.deepEqual(lengths({ first_token_ms: 150, first_sound_ms: 400 }), ["model 150", "sound 250"]);
});

test("only what an agent may send is taken for times", () => {
  assert.deepEqual(timesIn(message({ turn: 2, ...ALL })), ALL);
  assert.deepEqual(timesIn(message({ first_sound_ms: 5, decided_ms: "<b>" })), { first_sound_ms: 5 });
  for (const other of [null, 7, "x", {}, { first_sound_ms: -1 }, { first_sound_ms: null }])
    assert.equal(timesIn(message(other)), undefined);
  assert.equal(timesIn(new Uint8Array([123, 255])), undefined);
});
