"use strict";
// Shows the call in #data. Whatever people said goes into the page as text, never as markup.
const call = JSON.parse(document.getElementById("data").textContent); // as agent/viewer/data.py has it
const NOTHING = { wait: null, startedMs: null, endedMs: null, decidedMs: null, formattedMs: null, committedMs: null, reason: null, confidence: null, heldMs: null, cutOffMs: null };
const ended = ([text, times] = ["", []]) => {
  let at = 0; // each word: how long after the last one, and how long it took
  return text.split(" ").slice(0, times.length / 2).map((word, index) => { const begin = at + times[2 * index]; at = begin + times[2 * index + 1]; return [word, begin, at]; });
};
const stage = ([key, begin, end, tool]) => ({ key, begin, end, id: tool ? `${key} ${tool}` : key, name: tool ? `Tool ${tool}` : call.names[key] });
call.turns = call.turns.map((turn) => ({
  ...NOTHING, fillers: [], tools: [], blamed: [], ...turn, saidWords: ended(turn.saidWords), answerWords: ended(turn.answerWords), stages: (turn.stages ?? []).map(stage),
  reply: turn.reply && { soundMs: null, endedMs: null, interruptions: [], llm: [], tts: [], ...turn.reply },
}));
const $ = (id) => document.getElementById(id);

// ---- Elements and figures ----
function el(name, told, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(told ?? {})) {
    if (key === "class") made.className = value;
    else if (key === "on") made.addEventListener("click", value);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((each) => each !== null && each !== undefined));
  return made;
}
const place = (made, left, width) => {
  made.style.left = `${100 * left}%`;
  if (width !== undefined) made.style.width = `${100 * width}%`;
  return made;
};
const rounded = (ms, step) => Math.floor(ms / step + 0.5) * step / 1000; // as agent/records/words.py rounds
const took = (ms) => {
  if (ms < 100) return `${Math.round(ms)} ms`;
  if (ms < 60000) return ms < 10000 ? `${rounded(ms, 10).toFixed(2)} s` : `${rounded(ms, 100).toFixed(1)} s`;
  const all = Math.round(ms / 1000);
  return `${Math.floor(all / 60)} min${all % 60 ? ` ${all % 60} s` : ""}`;
};
const moment = (ms) => {
  const all = Math.max(0, Math.floor(ms / 1000)), seconds = String(all % 60).padStart(2, "0");
  return all < 3600 ? `${Math.floor(all / 60)}:${seconds}` : `${Math.floor(all / 3600)}:${String(Math.floor(all / 60) % 60).padStart(2, "0")}:${seconds}`;
};
const known = (...values) => values.filter((each) => each !== null && each !== undefined);
const facts = (rows) => {
  const list = el("dl", { class: "facts" });
  for (const [name, value] of rows) if (value !== null && value !== undefined && value !== "") list.append(el("dt", {}, name), el("dd", {}, String(value)));
  return list;
};

// ---- The head ----
const odd = new Map();
for (const each of call.oddities) for (const index of each.turn ? [each.turn, ...each.also] : []) odd.set(index, [...(odd.get(index) ?? []), each]);
const who = call.caller || "An unknown caller";
document.title = `Call in ${call.room || call.name}`;
$("title").textContent = document.title;
$("caller").textContent = who;
const when = new Date(call.startedAt * 1000);
$("about").textContent = [when.toLocaleString("en-GB", { dateStyle: "long", timeStyle: "medium" }), took(call.lastsMs), call.ending].join(" · ");
function figure(name, value, note, isOdd) {
  $("figures").append(el("div", { class: isOdd ? "odd" : "" }, el("dt", {}, name), el("dd", {}, value, note ? el("small", {}, " ", note) : "")));
}
const turnLink = (index) => el("a", { href: `#turn-${index}` }, `turn ${index}`);
figure("Median wait for a reply", call.medianMs === null ? "none" : took(call.medianMs));
figure("Slowest reply", call.slowest ? took(call.slowest.ms) : "none", call.slowest ? turnLink(call.slowest.turn) : null, call.turns.some((each) => each.index === call.slowest?.turn && each.blamed.length));
figure("Turns", String(call.turns.length), odd.size ? `${odd.size} odd` : null, odd.size);
const isLate = call.oddities.some((each) => each.kind === "waited_for_agent");
if (call.waitedMs !== null) figure("Waited for an agent", took(call.waitedMs), null, isLate);
if (call.cost) figure("Cost", `${call.cost.total.toFixed(4)} ${call.cost.currency}`);

// ---- What was odd ----
function linked(found) {
  const mine = [found.turn, ...found.also].map(String), parts = [];
  let from = 0;
  for (const list of found.sentence.matchAll(/\bturns? \d+(?: \([^)]*\))?(?:(?:, | and )\d+(?: \([^)]*\))?)*/gi)) {
    const numbers = [...list[0].matchAll(/\([^)]*\)|\d+/g)].filter((each) => mine.includes(each[0]));
    for (const each of numbers) {
      const isAlone = numbers.length === 1, begin = list.index + (isAlone ? 0 : each.index), end = list.index + each.index + each[0].length;
      parts.push(found.sentence.slice(from, begin), el("a", { href: `#turn-${each[0]}`, "aria-label": `Turn ${each[0]}` }, found.sentence.slice(begin, end)));
      from = end;
    }
  }
  return [...parts, found.sentence.slice(from)];
}
for (const each of call.oddities) {
  const text = el("p", { class: "note-text" });
  text.append(...linked(each));
  $("odd").append(el("li", { "data-kind": each.kind }, text, each.hint ? el("p", { class: "hint" }, each.hint) : null));
}
if (!call.oddities.length) $("odd").append(el("li", { class: "none" }, el("p", {}, "Nothing. Every turn was within its usual times.")));

// ---- The whole call in time ----
const NS = "http://www.w3.org/2000/svg";
const LONG = Math.max(call.lastsMs, 1);
const bytes = (text) => Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
const hasSound = call.sounds.length > 0; // one for each agent that was in the call
const drawn = call.sounds.filter((each) => each.peaks.length).map((each) => ({ ...each, peaks: each.peaks.map(bytes) }));
function wave(side, from, to, title) {
  const svg = document.createElementNS(NS, "svg");
  svg.setAttribute("class", side);
  svg.setAttribute("viewBox", "0 0 1000 100");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", title);
  const path = document.createElementNS(NS, "path");
  path.setAttribute("d", drawn.length ? sounds(side === "caller" ? 0 : 1, from, to) : spoken(side, from, to));
  svg.append(path);
  return svg;
}
function loudest(side, from, to) {
  let height = 0;
  for (const { startsMs, perSecond, peaks } of drawn) {
    const step = 1000 / perSecond, begin = Math.max(0, Math.floor((from - startsMs) / step));
    const end = Math.min(peaks[side].length, Math.max(Math.floor((from - startsMs) / step) + 1, Math.floor((to - startsMs) / step)));
    for (let at = begin; at < end; at++) height = Math.max(height, peaks[side][at]);
  }
  return height;
}
function sounds(side, from, to) {
  const columns = 500, step = (to - from) / columns, up = [], down = [];
  for (let column = 0; column < columns; column++) {
    const height = loudest(side, from + column * step, from + (column + 1) * step);
    const x = ((column * 1000) / columns).toFixed(1), half = 1 + 48 * Math.sqrt(height / 255);
    up.push(`${x} ${(50 - half).toFixed(1)}`);
    down.unshift(`${x} ${(50 + half).toFixed(1)}`);
  }
  return `M${up.join("L")}L${down.join("L")}Z`;
}
function spoken(side, from, to) {
  const key = side === "caller" ? "saidWords" : "answerWords", scale = 1000 / (to - from);
  const words = call.turns.flatMap((turn) => turn[key]);
  return words.map(([, begin, end]) => {
    const x = (begin - from) * scale, width = Math.max(0.8, (end - begin) * scale);
    return `M${x.toFixed(1)} 15h${width.toFixed(1)}v70h-${width.toFixed(1)}Z`;
  }).join("");
}
function span(turn) {
  const reply = turn.reply ?? {};
  const times = known(turn.startedMs, turn.endedMs, turn.decidedMs, turn.committedMs, reply.soundMs, reply.endedMs, ...turn.tools.flatMap((each) => [each.at, each.endedMs]),
    ...turn.stages.flatMap((each) => [each.begin, each.end]), ...[...turn.saidWords, ...turn.answerWords].flatMap((each) => [each[1], each[2]])).filter((each) => each !== null);
  return times.length ? [Math.min(...times), Math.max(...times)] : [0, 0];
}
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600];
const strip = el("div", { class: "strip" });
{
  const step = 1000 * (STEPS.find((each) => LONG / 1000 / each <= 8) ?? LONG / 8000);
  for (let at = 0; at <= LONG; at += step) {
    const edge = at === 0 ? "first" : at / LONG > 0.96 ? "last" : "";
    strip.append(place(el("div", { class: "tick" }), at / LONG), place(el("span", { class: `time ${edge}` }, moment(at)), at / LONG));
  }
  for (const turn of call.turns) if (turn.wait !== null && odd.has(turn.index)) strip.append(place(el("div", { class: "wait" }), turn.endedMs / LONG, turn.wait / LONG));
  strip.append(wave("caller", 0, LONG, "When the caller spoke"), wave("agent", 0, LONG, "When the agent spoke"));
  for (const turn of call.turns) {
    const [begin, end] = span(turn), is = odd.has(turn.index) ? " odd" : "";
    strip.append(place(el("a", { class: `at${is}`, href: `#turn-${turn.index}`, "aria-label": `Turn ${turn.index} at ${moment(begin)}${is && ", odd"}`, title: `Turn ${turn.index}`, tabindex: is ? null : "-1" }), begin / LONG, (end - begin) / LONG));
  }
}
$("overview").append(strip);
if (call.waitedMs !== null) {
  $("before").textContent = `0:00 is when the agent came. Before that the caller waited ${took(call.waitedMs)} in the room.`;
  $("before").className = isLate ? "hint late" : "hint";
}

// ---- Turn by turn ----
const NAMES = { greeting: "Greeting", prompt: "The agent speaks by itself" };
function head(turn) {
  const lines = el("span", { class: "lines" }), isCut = turn.reply?.interruptions.some((each) => !each.isFalse);
  if (turn.origin !== "caller") lines.append(el("span", { class: "small" }, NAMES[turn.origin]));
  if (turn.said) lines.append(el("span", { class: "said caller" }, el("b", {}, turn.speaker || "Caller"), el("span", { dir: "auto" }, turn.said)));
  if (turn.answer) lines.append(el("span", { class: "said agent" }, el("b", {}, "Agent"), el("span", {}, el("bdi", {}, turn.answer), isCut ? el("small", { class: "cut" }, "(interrupted)") : "")));
  const notes = (odd.get(turn.index) ?? []).map((each) => el("span", { class: "note" }, each.turn !== turn.index ? each.sentence : each.sentence.replace(/^Turn \d+(’s|'s|:)? ?/, "").replace(/^./, (first) => first.toUpperCase())));
  if (notes.length) lines.append(el("span", { class: "notes" }, ...notes));
  const figure = el("span", { class: "figure" });
  if (turn.wait !== null) {
    figure.append(el("b", {}, took(turn.wait)), el("small", {}, "waited"), mini(turn));
  } else if (turn.origin === "caller") figure.append(el("small", {}, "no reply heard"));
  return el("button", { type: "button", class: "head", "aria-expanded": "false", "aria-controls": `body-${turn.index}` },
    el("span", { class: "number" }, String(turn.index), el("small", {}, moment(span(turn)[0]))), lines, figure);
}
function mini(turn) {
  const bar = el("span", { class: "mini", "aria-hidden": "true" });
  let at = turn.endedMs;
  for (const { key, begin, end } of turn.stages) {
    const from = Math.max(at, begin), to = Math.min(end, turn.endedMs + turn.wait);
    if (to <= from || from > at + turn.wait) continue;
    const part = el("span", { class: key });
    part.style.width = `${(100 * (to - from)) / turn.wait}%`;
    part.style.marginLeft = `${(100 * (from - at)) / turn.wait}%`;
    bar.append(part);
    at = to;
  }
  return bar;
}
const GUILTY = { late_end: "end_of_turn", cut_off: "end_of_turn", dictation_cut: "end_of_turn", held_back: "hold", late_formatted: "formatted" };
function overlap(turn) {
  const early = turn.stages.find((each) => each.key === "llm"), over = early && turn.stages.filter((each) => ["stt", "end_of_turn", "hold", "commit"].includes(each.key) && each.end > early.begin);
  if (!over?.length) return null;
  return el("p", { class: "hint" }, `${early.name} overlaps with ${over.map((each) => each.name).join(" and ")}: the reply began early.`);
}
function waterfall(turn) {
  const reply = turn.reply ?? {};
  const from = known(turn.endedMs, turn.stages[0]?.begin)[0];
  if (from === undefined || !turn.stages.length) return null;
  const begin = Math.min(from, ...turn.stages.map((each) => each.begin));
  const end = Math.max(...turn.stages.map((each) => each.end), reply.soundMs ?? begin, ...turn.fillers, turn.formattedMs ?? begin);
  const before = Math.min(400, 0.12 * (end - begin)), left = begin - before, long = end + before - left;
  const grid = el("div", { class: "fall" });
  const guilty = new Set([...turn.blamed, ...(odd.get(turn.index) ?? []).map((each) => GUILTY[each.kind])]);
  const row = (name, kind, starts, ends, isWorst) => {
    const bar = el("div", { class: "track" });
    if (ends === null) bar.append(place(el("div", { class: "mark" }), (starts - left) / long));
    else bar.append(place(el("div", { class: `bar ${kind}` }), Math.max(0, (starts - left) / long), (Math.min(ends, left + long) - Math.max(starts, left)) / long));
    grid.append(el("div", { class: "step" }, el("div", { class: isWorst ? "what worst" : "what", title: call.glossary[kind] }, name), bar,
      el("div", { class: isWorst ? "ms worst" : "ms" }, ends === null ? `at ${took(Math.max(0, starts - from))}` : kind === "voice" || kind === "speaking" ? "" : took(ends - starts))));
  };
  if (turn.endedMs !== null && turn.reason !== "typed") row("Caller’s voice", "voice", Math.min(turn.startedMs ?? left, turn.endedMs), turn.endedMs);
  for (const each of turn.stages) row(each.name, each.key, each.begin, each.end, guilty.has(each.id));
  for (const at of turn.fillers) row("Filler", "", at, null);
  if (turn.formattedMs !== null) row("Formatted text", "formatted", turn.formattedMs, null, guilty.has("formatted"));
  if (known(reply.soundMs).length) row("Agent’s voice", "speaking", reply.soundMs, Math.max(reply.endedMs ?? 0, left + long));
  const scale = el("div", { class: "scale" });
  const step = [50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000].find((each) => long / each <= 6) ?? long / 6;
  for (let at = 0; at <= long - before; at += step) scale.append(place(el("span", {}, at ? `${at / 1000} s` : "0"), (from + at - left) / long));
  grid.append(el("div", { class: "step" }, el("div", { class: "what" }, turn.wait === null ? "" : "Since the caller fell silent"), scale, el("div", {})));
  return el("div", {}, el("h3", {}, turn.wait === null ? "Where the time went" : `Where the ${took(turn.wait)} went`), grid, overlap(turn) ?? "");
}
const PIXELS = 190; // for a second of words
const LONGEST_LANE = 900000; // milliseconds: no turn is longer, but a record may say so
function lanes(turn) {
  const words = [...turn.saidWords, ...turn.answerWords];
  if (!words.length) return null;
  const [begin, end] = span(turn), left = begin - 200, long = end + 400 - left;
  if (long > LONGEST_LANE) return null;
  const lane = el("div", { class: "words" });
  lane.style.width = `${Math.round((PIXELS * long) / 1000)}px`;
  const put = (list, side) => {
    for (const [text, starts, ends] of list) {
      lane.append(place(el("span", { class: side, title: `${text} ${moment(starts)}, ${took(ends - starts)}` }, text), (starts - left) / long, Math.max(120, ends - starts) / long));
    }
  };
  put(turn.saidWords, "by-caller");
  put(turn.answerWords, "by-agent");
  for (const each of turn.reply?.interruptions ?? []) lane.append(place(el("em", { title: each.isFalse ? "False barge-in" : "Barge-in" }), (each.at - left) / long));
  for (let at = Math.ceil(left / 1000) * 1000; at < left + long; at += 1000) lane.append(place(el("i", {}, moment(at)), (at - left) / long));
  return el("div", {}, el("h3", { class: "lanes-title" }, "Words in time: caller above, agent below; a dashed line is a barge-in"), el("div", { class: "lanes", tabindex: "0", role: "group", "aria-label": `Words of turn ${turn.index} in time` }, lane));
}
const tries = (list) => list.map((each) => `${each.provider}: ${each.error ?? "answered"} after ${took(each.tookMs)}`).join("; ");
function interruption(each) {
  const by = { voice: "a voice or a noise", words: "words", typed: "typed text" }[each.by];
  const words = each.words ? ` “${each.words}”` : "";
  const then = each.resumedMs === null ? "" : `, went on after ${took(each.resumedMs - each.at)}`;
  return `${moment(each.at)} ${each.isFalse ? "false barge-in" : "barge-in"} by ${by}${words}${then}`;
}
function details(turn) {
  const reply = turn.reply ?? {};
  const confidence = turn.confidence === null ? "" : ` (confidence ${turn.confidence.toFixed(2)})`;
  const tokens = known(reply.promptTokens).length ? `${reply.promptTokens} read${reply.cachedTokens ? ` (${reply.cachedTokens} from the cache)` : ""}, ${reply.completionTokens ?? 0} written` : null;
  const preemptive = { used: "used", thrown_away: "thrown away" }[reply.preemptive];
  return facts([
    ["Why the turn ended", turn.reason && `${turn.reason.replaceAll("_", " ")}: ${call.reasons[turn.reason]}${confidence}`],
    ["Preset", turn.preset && `${turn.preset}${turn.isDictated ? ", with patience for dictation" : ""}`],
    ["Held back", turn.heldMs && took(turn.heldMs)],
    ["Cut-off", turn.cutOffMs === null ? null : `the caller went on speaking ${took(turn.cutOffMs)} after the reply began`],
    ["Interruptions", reply.interruptions?.map(interruption).join("; ")],
    ["Preemptive reply", preemptive && `${preemptive}${reply.wasted ? `, ${reply.wasted} wasted` : ""}`],
    ["Tools", turn.tools.map((each) => `${each.tool}: ${each.outcome}${each.error ? ` (${each.error})` : ""}${each.endedMs === null ? ", not back" : ` after ${took(each.endedMs - each.at)}`}`).join("; ")],
    ["Language model", reply.llm && tries(reply.llm)],
    ["Tokens", tokens],
    ["Voice (TTS)", reply.tts && tries(reply.tts)],
    ["Characters spoken", reply.characters],
  ]);
}
function build(turn) {
  return known(hasSound ? el("p", {}, el("button", { type: "button", class: "listen", on: () => listen(turn) }, `Play turn ${turn.index}`)) : null,
    waterfall(turn), lanes(turn), el("h3", {}, "Details"), details(turn));
}
const rows = new Map();
function open(turn, is) {
  const { button, body } = rows.get(turn.index);
  if (is && !body.children.length) body.append(...build(turn));
  button.setAttribute("aria-expanded", String(is));
  body.hidden = !is;
}
const MARKS = { backchannel: "backchannel", echo: "echo of the agent", aside: "aside", unanswered: "not answered", hold: "asked to wait", consent: "about recording", unfinished: "hung up in mid-sentence" };
function beside(each) {
  const name = each.role === "user" ? each.name || "Caller" : "Agent";
  return el("li", { class: "turn beside" }, `${moment(each.at)} ${name}${each.mark ? ` (${MARKS[each.mark] ?? each.mark})` : ""}: `, el("span", { dir: "auto" }, each.text));
}
{
  const all = [...call.turns.map((turn) => ({ at: span(turn)[0], turn })), ...call.beside.map((each) => ({ at: each.at, each }))].sort((one, other) => one.at - other.at);
  for (const { turn, each } of all) {
    if (each) { $("turns").append(beside(each)); continue; }
    const button = head(turn), body = el("div", { class: "body", id: `body-${turn.index}`, hidden: true });
    const slow = turn.blamed.length > 0;
    const row = el("li", { class: `turn${odd.has(turn.index) ? " odd" : ""}${slow ? " slow" : ""}`, id: `turn-${turn.index}` }, el("h3", {}, button), body);
    rows.set(turn.index, { turn, row, button, body });
    button.addEventListener("click", () => { open(turn, body.hidden); if (!body.hidden && hasSound) listen(turn); });
    $("turns").append(row);
    if (odd.has(turn.index) && odd.size <= 2) open(turn, true);
  }
  if (!all.length) $("turns").append(el("li", {}, "The record holds no turn."));
}
$("all").addEventListener("click", () => {
  const is = $("all").getAttribute("aria-pressed") !== "true";
  $("all").setAttribute("aria-pressed", String(is));
  $("all").textContent = is ? "Close all" : "Open all";
  for (const { turn } of rows.values()) open(turn, is);
});
addEventListener("beforeprint", () => { for (const { turn } of rows.values()) if (odd.has(turn.index)) open(turn, true); });
function show() {
  const found = rows.get(Number(location.hash.replace("#turn-", "")));
  if (!found) return;
  open(found.turn, true);
  found.row.scrollIntoView();
  found.button.focus({ preventScroll: true });
}
addEventListener("hashchange", show);
document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest('a[href^="#turn-"]') : null;
  if (link && link.getAttribute("href") === location.hash) show(); // no hashchange comes
});
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const order = [...rows.values()], now = order.findIndex((each) => each.row.contains(document.activeElement));
  if (event.key === "j") order[Math.min(now + 1, order.length - 1)]?.button.focus();
  if (event.key === "k") order[Math.max(now - 1, 0)]?.button.focus();
  if (event.key === "p" && hasSound && now >= 0) listen(order[now].turn);
});

// ---- Sound ----
const tracks = call.sounds.map(({ startsMs, link, type }, number) => {
  const kept = $(`kept-${number}`);
  const src = kept ? URL.createObjectURL(new Blob([bytes(kept.textContent)], { type })) : link;
  return { startsMs, sound: el("audio", { preload: "metadata", src }) };
});
let playing = tracks[0], until = Infinity;
function listen(turn) {
  const [begin, end] = span(turn);
  play(begin - 300, end + 300);
}
function play(from, to) {
  playing.sound.pause();
  playing = tracks.findLast((each) => each.startsMs <= from) ?? tracks[0];
  playing.sound.currentTime = Math.max(0, (from - playing.startsMs) / 1000);
  until = to;
  go();
}
const go = () => void playing.sound.play().catch(() => {}); // what failed is told by its error event
if (hasSound) {
  const now = el("div", { class: "now", hidden: true });
  strip.append(now);
  $("play").hidden = $("clock").hidden = $("play-key").hidden = false;
  const tell = () => {
    const at = playing.sound.currentTime * 1000 + playing.startsMs;
    if (at >= until) { until = Infinity; playing.sound.pause(); }
    now.hidden = false;
    place(now, Math.min(1, Math.max(0, at / LONG)));
    $("clock").textContent = `${moment(at)} of ${moment(LONG)}`;
    $("play").textContent = playing.sound.paused ? "Play" : "Pause";
  };
  const fail = () => ($("clock").textContent = "The sound cannot be played: its file is not beside this page, or this browser does not know its format.");
  for (const [index, { sound }] of tracks.entries()) {
    document.body.append(sound);
    for (const name of ["timeupdate", "play", "pause", "loadedmetadata"]) sound.addEventListener(name, tell);
    sound.addEventListener("error", fail);
    sound.addEventListener("ended", () => { if (tracks[index + 1]) play(tracks[index + 1].startsMs, until); });
  }
  $("play").addEventListener("click", () => { until = Infinity; if (playing.sound.paused) go(); else playing.sound.pause(); });
  strip.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("a")) return;
    const box = strip.getBoundingClientRect();
    play(((event.clientX - box.left) / box.width) * LONG, Infinity);
  });
}

// ---- Connections, cost, settings ----
function more(title, isOpen, ...parts) {
  const inside = parts.filter((each) => each && each.children.length);
  if (inside.length) $("rest").append(el("details", { open: isOpen }, el("summary", {}, title), ...inside));
}
$("rest").append(el("h2", {}, "The rest"));
const BESIDES = { barge_in: "Barge-in", backchannel: "Backchannel", formatted: "Formatted text", preemptive: "Preemptive reply", preset: "Preset" };
more("Connections", false, facts(call.sessions.map((each, index) => [
  `AssemblyAI session ${index + 1}`,
  `opened because of: ${each.reason}; ${each.billed_seconds.toFixed(1)} s billed${each.is_estimated ? " (estimated)" : ""}${each.audio_resent_seconds ? `; ${each.audio_resent_seconds.toFixed(1)} s sent again` : ""}`,
])));
more("Events", false, el("ul", {}, ...call.events.map((each) => el("li", {}, `${moment(each.at)} ${each.kind}: ${each.text}${each.waitMs ? `, next attempt after ${took(each.waitMs)}` : ""}`))));
more("Usage and cost", false, facts([
  ["Speech recognition", call.usage && `${call.usage.stt_billed_seconds.toFixed(1)} s billed${call.cost ? `, ${call.cost.stt.toFixed(4)} ${call.cost.currency}` : ""}`],
  ["Language model", call.usage && `${call.usage.prompt_tokens} tokens read (${call.usage.cached_tokens} from the cache), ${call.usage.completion_tokens} written${call.cost ? `, ${call.cost.llm.toFixed(4)} ${call.cost.currency}` : ""}`],
  ["Voice (TTS)", call.usage && `${call.usage.tts_characters} characters${call.cost ? `, ${call.cost.tts.toFixed(4)} ${call.cost.currency}` : ""}`],
]));
more("Settings in force", false, facts(Object.entries(call.settings)));
more("What the words mean", false, facts(Object.entries(call.glossary).map(([key, text]) => [call.names[key] ?? BESIDES[key], text])));
more("The record", false, facts(Object.entries(call.about)));
show();
