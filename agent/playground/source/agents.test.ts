import assert from "node:assert/strict";
import { test } from "node:test";
import { type Answering, Shown } from "./agents";

const agent = (identity: string, caller = ""): Answering => ({
  identity,
  attributes: caller ? { "agent.caller": caller } : {},
});

test("the first agent is shown until the second one has the caller", () => {
  const shown = new Shown();
  assert.ok(shown.meet(agent("old", "me")));
  assert.ok(!shown.meet(agent("new")));
  assert.equal(shown.current?.identity, "old");
  assert.ok(shown.meet(agent("new", "me")));
  assert.ok(!shown.meet(agent("old", "me")), "what the first one shows on its way out is not shown");
  assert.ok(!shown.part("old", [agent("new", "me")]));
  assert.equal(shown.current?.identity, "new");
});

test("when the first agent is gone, the one that is there is shown at once", () => {
  const shown = new Shown();
  shown.meet(agent("old", "me"));
  shown.meet(agent("new"));
  assert.ok(shown.part("old", [agent("new")]));
  assert.equal(shown.current?.identity, "new");
});

test("when the last agent is gone, nobody is shown until somebody comes", () => {
  const shown = new Shown();
  shown.meet(agent("old", "me"));
  assert.ok(shown.part("old", []));
  assert.equal(shown.current, undefined);
  assert.ok(shown.meet(agent("new")));
});

test("an agent shows what it does as often as it likes", () => {
  const shown = new Shown();
  shown.meet(agent("one"));
  assert.ok(shown.meet(agent("one", "me")));
  assert.equal(shown.current?.attributes["agent.caller"], "me");
});

test("after a lost connection the same agent may be met again", () => {
  const shown = new Shown();
  shown.meet(agent("old", "me"));
  shown.part("old", []);
  shown.forget();
  assert.ok(shown.meet(agent("old", "me")));
});
