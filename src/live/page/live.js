// The live page: which run the address names, its stream, and what is shown of it.
import { Plot, around, short } from "./plot.js";
import { fresh, front, sign, take } from "./run.js";
import * as sheet from "./sheet.js";
import { Table, wanted } from "./table.js";
import { $, duration, grouped, make, moment, plural, score } from "./words.js";

// At most so often is a page drawn that grows, in milliseconds.
const PACE = 250;

let name = null;
let run = fresh();
let stream = null;
let pair = [];
let cards = new Map();

// ---- The address: #/ is the list, #/NAME a run, #/NAME/7 a trial of it, #/NAME/7+12 two.

const address = (run, trials = []) => `#/${run === null ? "" : encodeURIComponent(run)}${trials.length ? `/${trials.join("+")}` : ""}`;
const go = (trials) => { location.hash = address(name, trials); };
const trialsOfAddress = () => (location.hash.slice(2).split("/")[1] ?? "").split("+").filter(Boolean).map(Number);

const route = () => {
  const wantedName = decodeURIComponent(location.hash.slice(2).split("/")[0] ?? "") || null;
  if (wantedName !== name || !stream) {
    name = wantedName;
    follow();
  }
  showSheet();
};

const showSheet = () => {
  const rows = trialsOfAddress().map((trial) => run.rows[trial]).filter(Boolean);
  if (name !== null && rows.length) sheet.open(run, name, rows.slice(0, 2), go);
  else if (!trialsOfAddress().length) sheet.close();
  plotsDue();
};

// ---- The stream.

const follow = () => {
  stream?.close();
  trouble("");
  $("list").hidden = name !== null;
  $("run").hidden = name === null;
  document.title = name ?? "strata";
  forget();
  cards = new Map();
  scrollTo(0, 0);
  if (name === null) {
    stream = new EventSource("/runs");
    stream.addEventListener("runs", ({ data }) => update(JSON.parse(data)));
  } else {
    $("kicker").textContent = name;
    $("report").href = `/runs/${encodeURIComponent(name)}/report`;
    stream = new EventSource(`/runs/${encodeURIComponent(name)}/events`);
    stream.addEventListener("run", ({ data }) => { run.head = JSON.parse(data); headDue(); due(); });
    stream.addEventListener("entries", ({ data }) => { for (const entry of JSON.parse(data)) take(run, entry); due(); });
    stream.addEventListener("level", () => { run.level = true; due(); showSheet(); });
    stream.addEventListener("restart", () => { forget(); due(); });
    due();
  }
  const current = stream;
  stream.addEventListener("trouble", ({ data }) => trouble(JSON.parse(data)));
  stream.addEventListener("open", () => { if ($("trouble").dataset.cut) trouble(""); });
  stream.onerror = () => {
    if (current !== stream) return;
    const gone = stream.readyState === EventSource.CLOSED;
    trouble(gone ? `There is no run “${name ?? ""}” here.` : "The server does not answer; the page goes on when it does.", true);
  };
};

// What was told does not count any more.
const forget = () => {
  run = fresh();
  for (const part of ["finals", "failed"]) delete $(part).dataset.count;
  pick([]);
};

const trouble = (text, cut = false) => {
  $("trouble").textContent = text;
  $("trouble").hidden = !text;
  $("trouble").dataset.cut = cut ? "yes" : "";
};

// ---- When to draw: at most once in a while, however much comes in.

let [waiting, drawn] = [0, 0];
const due = () => {
  if (waiting) return;
  const pause = Math.max(0, drawn + PACE - performance.now());
  waiting = setTimeout(() => requestAnimationFrame(() => { [waiting, drawn] = [0, performance.now()]; render(); }), pause);
};

const render = () => {
  if (name === null) return renderList();
  if (!run.level && run.rows.length === 0) return renderState();
  renderState();
  renderFinals();
  renderFailures();
  table.show(run.rows);
  plots();
};

// ---- The list of runs.

const update = ({ names, changed }) => {
  for (const card of changed) cards.set(card.name, card);
  const kept = new Set(names);
  for (const known of [...cards.keys()]) if (!kept.has(known)) cards.delete(known);
  due();
};

const MOST_CARDS = 500;

const renderList = () => {
  const wantedPart = $("list-filter").value.trim().toLowerCase();
  const found = [...cards.values()].filter((card) => card.name.toLowerCase().includes(wantedPart)).sort((a, b) => b.at - a.at);
  $("list-headline").textContent = cards.size ? plural(cards.size, "run") : "No run yet";
  const heads = [["Run"], ["State"], ["Trials", "n"], ["Failed", "n"], ["Best score", "n"], ["Begun"], ["Last entry"]];
  const head = make("thead", {}, make("tr", {}, ...heads.map(([text, kind]) => make("th", { scope: "col", className: kind ?? "" }, text))));
  const rows = found.slice(0, MOST_CARDS).map((card) => make("tr", {},
    make("th", { scope: "row" }, make("a", { href: address(card.name) }, card.name)),
    make("td", { className: card.trouble ? "wrong" : "" }, card.trouble ?? card.phase),
    make("td", { className: "n" }, card.budget ? `${grouped(card.trials)} of ${grouped(card.budget)}` : grouped(card.trials)),
    make("td", { className: "n" }, grouped(card.failed)),
    make("td", { className: "n" }, score(card.best), card.best_trial == null ? null : make("small", {}, ` trial ${card.best_trial}`)),
    make("td", {}, moment(card.begun)),
    make("td", { "data-at": card.at }, ago(card.at))));
  const at = document.activeElement?.closest("#runs a")?.getAttribute("href");
  $("runs").replaceChildren(head, make("tbody", {}, ...rows));
  if (at) $("runs").querySelector(`a[href=${JSON.stringify(at)}]`)?.focus({ preventScroll: true });
  $("list-note").textContent = found.length > MOST_CARDS ? `The ${MOST_CARDS} last of ${grouped(found.length)}; filter for others.` : cards.size ? "" : "Runs appear here when they are begun.";
};

const ago = (at) => {
  const passed = Date.now() / 1e3 - at;
  return passed < 2 ? "now" : passed < 86400 ? `${duration(passed)} ago` : moment(at);
};

$("list-filter").addEventListener("input", () => renderList());
setInterval(() => {
  if (document.hidden) return;
  if (name !== null && !run.ended) renderState();
  for (const place of document.querySelectorAll("#runs [data-at]")) place.textContent = ago(Number(place.dataset.at));
}, 1000);

// ---- The head of a run.

const headDue = () => {
  const { head } = run;
  $("question").textContent = head.question;
  $("question").hidden = !head.question;
  const facts = [["experiment", head.name], ["controller", head.controller], ["seed", String(head.seed)], ["architectures in the space", head.architectures.replace(/\B(?=(\d{3})+$)/g, ",")], ...head.facts];
  $("facts").replaceChildren(...facts.flatMap(([fact, value]) => [make("dt", {}, fact), make("dd", {}, value)]));
};

const scoreName = () => run.head?.score_name ?? "score";

const headline = () => {
  const winner = [...run.finals.values()].find((network) => network.winner);
  if (run.ended && winner?.scores.length) return `The winner scores ${score(mean(winner.scores))} on the test examples.`;
  if (run.best) return `The best of ${plural(run.done, "trial")} ${run.ended ? "" : "so far "}scores ${score(run.best.score)} on the validation examples${run.best.bestEpoch ? `, after epoch ${run.best.bestEpoch} of ${run.best.lastEpoch}` : ""}.`;
  if (run.done) return "No trial has a score yet.";
  return run.level ? "The first trials are under way." : "Reading the journal.";
};

const renderState = () => {
  const text = headline();
  if ($("headline").textContent !== text) $("headline").textContent = text;
  const { head, done, seconds } = run;
  const budgets = head ? [[head.trials, done, "trial"], [head.epochs, run.epochs, "epoch"]].filter(([budget]) => budget) : [];
  const used = budgets.map(([budget, spent]) => spent / budget);
  if (head?.seconds) used.push(seconds / head.seconds);
  const share = run.searched ? 1 : Math.min(1, Math.max(0, ...used));
  const left = share > 0 && share < 1 && !run.searched ? `, about ${duration((seconds * (1 - share)) / share)} to go` : "";
  const count = budgets.length ? `${grouped(budgets[0][1])} of ${plural(budgets[0][0], budgets[0][2])}` : plural(done, "trial");
  const trained = run.phase === "final evaluation" && run.selected ? `, ${plural(run.selected, "selection training")} done` : "";
  const last = run.ended ? `ended: ${run.ended}` : `${run.phase === "search" ? "searching" : run.phase}${trained}${left}; last entry ${run.at ? ago(run.at) : "\u2013"}`;
  $("state").textContent = `${count}, ${grouped(run.failed.length)} failed, in ${duration(seconds)}. ${last[0].toUpperCase()}${last.slice(1)}.`;
  const meter = $("meter");
  meter.hidden = !used.length;
  meter.setAttribute("aria-valuenow", Math.round(100 * share));
  meter.firstElementChild.style.width = `${100 * share}%`;
};

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const deviation = (values) => {
  const middle = mean(values);
  return values.length > 1 ? Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1)) : null;
};

const renderFinals = () => {
  const place = $("finals");
  const count = [...run.finals.values()].reduce((sum, { scores, failures }) => sum + scores.length + failures.length, 0);
  if (place.dataset.count === String(count)) return;
  place.dataset.count = count;
  place.hidden = count === 0;
  const rows = [...run.finals].map(([subject, { scores, failures, epochs }]) => make("tr", {},
    make("th", { scope: "row" }, subject),
    make("td", { className: "n" }, make("strong", {}, scores.length ? score(mean(scores)) : "\u2013"), make("small", {}, deviation(scores) == null ? "" : ` ± ${score(deviation(scores))}`)),
    make("td", { className: "n" }, String(scores.length)), make("td", { className: "n" }, String(failures.length)),
    make("td", { className: "n" }, epochs == null ? "\u2013" : String(epochs))));
  const heads = [["Network"], [`Test ${scoreName()}`, "n"], ["Seeds", "n"], ["Failed", "n"], ["Epochs", "n"]];
  place.replaceChildren(make("h2", {}, "Final evaluation"), make("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": "Final evaluation" },
    make("table", {}, make("thead", {}, make("tr", {}, ...heads.map(([text, kind]) => make("th", { scope: "col", className: kind ?? "" }, text)))), make("tbody", {}, ...rows))));
};

const MOST_FAILURES = 20;

const renderFailures = () => {
  const place = $("failed");
  if (place.dataset.count === String(run.failed.length)) return;
  if (run.failed.length || run.ended) place.dataset.count = run.failed.length;
  if (!run.failed.length) return place.replaceChildren(make("p", {}, run.done ? "None: every trial so far has a score." : "None so far."));
  const rows = run.failed.slice(-MOST_FAILURES).reverse().map((row) => make("tr", {},
    make("th", { scope: "row" }, make("a", { href: address(name, [row.trial]) }, `trial ${row.trial}`)), make("td", {}, row.failure), make("td", {}, row.message)));
  place.replaceChildren(make("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": "Table of failures" },
    make("table", {}, make("thead", {}, make("tr", {}, ...["What", "How", "Why"].map((text) => make("th", { scope: "col" }, text)))), make("tbody", {}, ...rows))),
    make("p", { className: "note" }, `${rows.length} of ${run.failed.length}, the last first. A failed trial uses its budget up like any other.`));
};

// ---- The trials.

const remark = (row) => {
  if (row.failure) return `${row.failure}: ${row.message}`;
  if (!row.done) return "no result yet";
  return [row === run.best ? "best" : "", row.trial === run.winner ? "winner" : "", row.fidelity ?? ""].filter(Boolean).join(", ");
};
const origin = (row) => (row.continues != null ? `${row.continues}, on` : (row.parents ?? []).join(" and "));
const number = (name, title, text, falls = false) => ({ name, title, number: true, falls, value: (row) => row[name], text: (row) => text(row[name]) });
const columns = [
  number("trial", "Trial", String),
  { ...number("score", "Score", score, true), class: (row) => (row === run.best ? "best" : "") },
  number("loss", "Loss", score),
  number("params", "Parameters", grouped),
  number("macs", "MACs", grouped),
  number("epochs", "Epochs", (value) => (value == null ? "\u2013" : String(value))),
  number("seconds", "Time", duration),
  { name: "from", title: "From", value: (row) => row.continues ?? row.parents?.[0], text: origin },
  { name: "remark", title: "Remark", value: (row) => remark(row) || null, text: remark, class: (row) => (row.failure ? "wrong" : "") },
];
const pick = (trials) => {
  pair = trials;
  $("compare").disabled = pair.length < 2;
  $("compare").textContent = pair.length < 2 ? "Compare two" : `Compare ${pair[0]} and ${pair[1]}`;
};
const choose = ({ trial }) => {
  pick(pair.includes(trial) ? pair.filter((other) => other !== trial) : [...pair, trial].slice(-2));
  table.draw();
  plotsDue();
};
const table = new Table($("table"), columns, {
  label: "Trials", choose, open: (row) => go([row.trial]), chosen: (row) => pair.includes(row.trial),
  shown: (count, all) => { $("shown").textContent = count === all ? plural(all, "trial") : `${grouped(count)} of ${plural(all, "trial")}`; },
});
$("filter").addEventListener("input", ({ target }) => table.filter(wanted(target.value)));
$("compare").addEventListener("click", () => go(pair));

// ---- The plots.

const openTrial = (trial) => go([trial]);
const anytime = new Plot($("anytime"), "Best validation score so far", "The best validation score found after so much was spent. Failed trials count as spent.", openTrial);
const sizes = new Plot($("sizes"), "Validation score of every trial against parameters", "Every trial’s validation score against its parameters. The dashed line joins the networks that none beats in both (the Pareto front). With many trials, the worst twentieth lies outside of the frame.", openTrial);

let plotsWaiting = false;
const plotsDue = () => {
  if (plotsWaiting || name === null) return;
  plotsWaiting = true;
  requestAnimationFrame(() => { plotsWaiting = false; plots(); });
};

const quantile = (values, share) => (values.length ? [...values].sort((a, b) => a - b)[Math.floor(share * (values.length - 1))] : 0);

const plots = () => {
  const full = run.rows.filter((row) => row.score != null && !row.fidelity);
  const inEpochs = run.epochs > 0;
  const unit = inEpochs ? "epochs of training" : "trials";
  const spent = Math.max(2, inEpochs ? run.epochs : run.done);
  const points = [];
  for (const [trials, epochs, best] of run.curve) {
    const x = inEpochs ? epochs : trials;
    const last = points.at(-1);
    if (last && last.y === best) continue;
    if (last) points.push({ x, y: last.y });
    points.push({ x, y: best });
  }
  const rises = points.filter((_, index) => index % 2 === 0);
  if (points.length) points.push({ x: spent, y: points.at(-1).y });
  const shown = rises.length > 4 ? rises.slice(1) : rises;
  anytime.show({
    x: { label: unit, from: 0, to: spent, log: false },
    y: around(`best validation ${scoreName()}`, shown.map((point) => point.y)),
    lines: [{ class: "chance", points }],
    targets: rises.map(({ x, y }) => ({ x, y, tip: () => `after ${grouped(x)} ${unit}\nvalidation ${scoreName()} ${score(y)}` })),
  });
  const { steps } = front(full, sign(run));
  const least = full.length >= 20 ? quantile(full.map((row) => sign(run) * row.score), 0.05) : -Infinity;
  const chosen = new Set([...pair, ...trialsOfAddress()]);
  const dot = (row) => ({ x: row.params, y: row.score });
  sizes.show({
    x: around("parameters", full.map((row) => row.params), true),
    y: around(`validation ${scoreName()}`, full.map((row) => row.score).filter((value) => sign(run) * value >= least)),
    dots: [{ class: full.length > 1000 ? "search many" : "search", points: full.map(dot) }],
    lines: [{ class: "front", points: steps }],
    marks: [...(run.best ? [{ ...dot(run.best), class: "chance" }] : []), ...full.filter((row) => chosen.has(row.trial)).map((row) => ({ ...dot(row), class: "hand picked" }))],
    targets: full.map((row) => ({ x: row.params, y: row.score, id: row.trial, tip: () => `trial ${row.trial}${row === run.best ? " (best)" : ""}\nvalidation ${scoreName()} ${score(row.score)}\n${short(row.params)} parameters` })),
  });
};

// ---- Jumps within a run leave the address to the run.

for (const link of document.querySelectorAll("[data-jump]"))
  link.addEventListener("click", (event) => { event.preventDefault(); const place = $(link.dataset.jump); place.scrollIntoView(); place.focus({ preventScroll: true }); });

addEventListener("hashchange", route);
route();
