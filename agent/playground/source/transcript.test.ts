import assert from "node:assert/strict";
import test from "node:test";
import { Transcript } from "./transcript";

test("a line grows and is replaced until it is final", () => {
  const transcript = new Transcript();
  transcript.take("you", "1", "what is", false);
  transcript.take("you", "1", "what is seven", false);
  transcript.take("you", "1", "What is seven?", true);
  assert.deepEqual(transcript.lines, [{ id: "1", speaker: "you", text: "What is seven?", isFinal: true }]);
});

test("a late interim text does not undo a final one, and a late format mends it in its place", () => {
  const transcript = new Transcript();
  transcript.take("you", "1", "what is seven", true);
  transcript.take("agent", "2", "Seven", false);
  transcript.take("you", "1", "what is", false);
  transcript.take("you", "1", "What is 7?", true);
  assert.deepEqual(
    transcript.lines.map((line) => line.text),
    ["What is 7?", "Seven"],
  );
});

test("both sides may use the same id", () => {
  const transcript = new Transcript();
  transcript.take("you", "1", "hello", true);
  transcript.take("agent", "1", "Hi", true);
  assert.equal(transcript.lines.length, 2);
});
