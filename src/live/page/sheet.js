// One trial in full, or two side by side: figures, curve, drawing, decisions.
import { Plot, around } from "./plot.js";
import { $, duration, grouped, make, score } from "./words.js";

const dialog = $("sheet");
let before = null;
let asked = 0;

export const close = () => {
  asked++;
  if (!dialog.open) return;
  dialog.close();
  if (before?.isConnected) before.focus({ preventScroll: true });
};

// Opens the trials `rows` of a run, one or two. `go` is called with the trials to show instead.
export const open = async (run, name, rows, go) => {
  const mine = ++asked;
  const base = `/runs/${encodeURIComponent(name)}/trials`;
  const answers = await Promise.all(rows.map(async (row) => {
    const answer = await fetch(`${base}/${row.trial}`);
    return answer.ok ? answer.json() : { error: await answer.text() };
  }));
  if (mine !== asked) return;
  const wrong = answers.find((answer) => answer.error);
  const title = rows.length > 1 ? `Trials ${rows[0].trial} and ${rows[1].trial}` : `Trial ${rows[0].trial}`;
  const shut = make("button", { type: "button" }, "Close");
  shut.addEventListener("click", () => go([]));
  dialog.classList.toggle("two", rows.length > 1);
  dialog.replaceChildren(make("div", { className: "bar" }, make("h2", { id: "sheet-title", tabIndex: -1 }, title), shut));
  if (wrong) dialog.append(make("p", { className: "wrong" }, wrong.error));
  else {
    dialog.append(figures(run, rows), rows.length === 1 ? origins(rows[0], go) : "");
    curves(run, rows, answers);
    dialog.append(make("div", { className: "beside drawings" }, ...rows.map((row, at) => drawing(base, row, answers[at], at, rows.length))));
    decisions(rows, answers);
  }
  if (!dialog.open) {
    before = document.activeElement;
    dialog.show();
  }
  dialog.scrollTop = 0;
  $("sheet-title").focus({ preventScroll: true });
};

dialog.addEventListener("keydown", (event) => {
  if (event.key === "Escape") dialog.querySelector(".bar button")?.click();
});

const CLASSES = ["hand", "search"];

const name = (row, at, count) => make("h3", { className: CLASSES[at] }, count > 1 ? make("span", { className: "swatch" }) : null, `Trial ${row.trial}`);

// The figures of a trial in a column, of two beside each other.
const figures = (run, rows) => {
  const known = [
    [`validation ${run.head?.score_name ?? "score"}`, (row) => (row.done ? score(row.score) : "no result yet")],
    ["loss", (row) => score(row.loss)],
    ["parameters", (row) => grouped(row.params)],
    ["MACs", (row) => grouped(row.macs)],
    ["epochs", (row) => (row.epochs == null ? "\u2013" : grouped(row.epochs))],
    ["best epoch, which the score is of", (row) => (row.bestEpoch == null ? "\u2013" : grouped(row.bestEpoch))],
    ["time", (row) => duration(row.seconds)],
  ];
  if (rows.some((row) => row.fidelity)) known.push(["fidelity", (row) => row.fidelity ?? "full"]);
  if (rows.some((row) => row.failure)) known.unshift(["failed", (row) => (row.failure ? `${row.failure}: ${row.message}` : "no")]);
  const metrics = [...new Set(rows.flatMap((row) => Object.keys(row.metrics ?? {})))];
  for (const metric of metrics) if (metric !== run.head?.score_name) known.push([metric, (row) => score(row.metrics?.[metric])]);
  const head = rows.length > 1 ? [make("thead", {}, make("tr", {}, make("td"), ...rows.map((row, at) => make("th", { scope: "col", className: CLASSES[at] }, make("span", { className: "swatch" }), `Trial ${row.trial}`))))] : [];
  const body = known.map(([fact, of]) => make("tr", {}, make("th", { scope: "row" }, fact), ...rows.map((row) => make("td", {}, of(row)))));
  return make("table", { className: "figures" }, ...head, make("tbody", {}, ...body));
};

// What the trial was made from can be set beside it.
const origins = (row, go) => {
  const origin = row.continues != null ? [[`trial ${row.continues}, which it goes on from`, row.continues]] : (row.parents ?? []).map((parent) => [`its parent, trial ${parent}`, parent]);
  const buttons = origin.map(([word, trial]) => {
    const button = make("button", { type: "button" }, `Compare with ${word}`);
    button.addEventListener("click", () => go([trial, row.trial]));
    return button;
  });
  return buttons.length ? make("p", { className: "tools" }, ...buttons) : "";
};

const curves = (run, rows, answers) => {
  if (answers.every((answer) => !answer.curve.length)) return;
  const names = [["score", `validation ${run.head?.score_name ?? "score"}`, [["score", ""]]], ["loss", "loss", [["loss", ""], ["train_loss", "thin dashed"]]]];
  const plots = make("div", { className: "beside" });
  dialog.append(plots);
  for (const [kind, label, fields] of names) {
    const lines = rows.flatMap((row, at) => fields.map(([field, look]) => ({
      class: `${CLASSES[at]} ${look}`, row, field,
      points: answers[at].curve.filter((point) => point[field] != null).map((point) => ({ x: point.epoch, y: point[field] })),
    })));
    const all = lines.flatMap((line) => line.points);
    if (!all.length) continue;
    const figure = make("figure", { className: "plot", id: `curve-${kind}` });
    plots.append(figure);
    const caption = kind === "score" ? "Validation score after each epoch." : "Loss of validation examples after each epoch; dashed, of training examples during it.";
    const plot = new Plot(figure, `Learning curve: ${label}`, caption);
    const targets = lines.flatMap((line) => line.points.map(({ x, y }) => ({ x, y, tip: () => `trial ${line.row.trial}, epoch ${x}\n${line.field === "train_loss" ? "training loss" : label} ${score(y)}` })));
    const marks = lines.flatMap((line) => (line.points.length === 1 ? [{ ...line.points[0], class: line.class }] : []));
    plot.show({ x: { ...around("epoch", all.map((point) => point.x)), whole: true }, y: around(label, all.map((point) => point.y)), lines, marks, targets });
  }
};

const drawing = (base, row, answer, at, count) => {
  const image = make("img", { alt: answer.text, src: `${base}/${row.trial}/drawing`, loading: "eager" });
  return make("figure", {}, count > 1 ? name(row, at, count) : null, make("figcaption", {}, `${answer.layers} layers`),
    make("div", { className: "sheet", tabIndex: 0, role: "region", "aria-label": `Drawing of trial ${row.trial}` }, image));
};

const decisions = (rows, answers) => {
  const maps = answers.map((answer) => new Map([...answer.decisions, ...answer.recipe.map(([key, value]) => [`recipe/${key}`, value])]));
  const keys = [...new Set(maps.flatMap((map) => [...map.keys()]))];
  if (!keys.length) return;
  const values = (key) => maps.map((map) => map.get(key) ?? "\u2013");
  const differs = (key) => new Set(values(key)).size > 1;
  if (rows.length > 1) keys.sort((a, b) => differs(b) - differs(a));
  const body = keys.map((key) => make("tr", { className: differs(key) ? "differs" : "" }, make("td", {}, make("code", {}, key)), ...values(key).map((value) => make("td", {}, make("code", {}, value)))));
  const head = make("tr", {}, make("th", { scope: "col" }, "Decision"), ...rows.map((row) => make("th", { scope: "col" }, rows.length > 1 ? `Trial ${row.trial}` : "Option")));
  const count = keys.filter(differs).length;
  dialog.append(make("h3", {}, "Decisions"), rows.length > 1 ? make("p", { className: "note" }, count ? `They differ in ${count} of ${keys.length}.` : "They do not differ.") : null ?? "",
    make("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": "Table of decisions" }, make("table", {}, make("thead", {}, head), make("tbody", {}, ...body))));
};
