// A table of any length: only the rows in sight are in the page. One column sorts, a filter chooses, arrows move.
const ROW = 34;
const SPARE = 4;

const cell = (name, properties, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

export class Table {
  // A column is {name, title, number?, value(row), text(row), class?(row)}; what has no value comes last.
  constructor(place, columns, { label, open, choose, chosen, shown }) {
    Object.assign(this, { place, columns, open, choose, chosen, shown });
    [this.rows, this.sorted, this.view] = [[], [], []];
    this.keep = () => true;
    this.sort = { column: columns[0], down: false };
    this.at = 0;
    this.table = cell("table", { tabIndex: 0 });
    this.table.setAttribute("role", "grid");
    this.table.setAttribute("aria-label", label);
    this.heads = columns.map((column) => {
      const button = cell("button", { type: "button", textContent: column.title });
      button.addEventListener("click", () => this.sortBy(column));
      const head = cell("th", { scope: "col", className: column.number ? "n" : "" }, button);
      head.setAttribute("role", "columnheader");
      head.setAttribute("aria-sort", this.direction(column));
      return head;
    });
    const mark = cell("th", { scope: "col", ariaLabel: "Choose for a comparison" });
    mark.setAttribute("role", "columnheader");
    this.body = cell("tbody", {});
    this.table.append(cell("thead", {}, cell("tr", {}, this.heads[0], mark, ...this.heads.slice(1))), this.body);
    place.replaceChildren(this.table);
    place.addEventListener("scroll", () => this.draw(), { passive: true });
    addEventListener("resize", () => this.draw());
    this.body.addEventListener("click", (event) => this.click(event));
    this.table.addEventListener("keydown", (event) => this.key(event));
  }

  // Shows other rows, or the same ones after they changed.
  show(rows) {
    this.rows = rows;
    this.sorted = null;
    this.arrange();
  }

  filter(keep) {
    this.keep = keep;
    this.first();
  }

  sortBy(column) {
    const again = this.sort.column === column;
    this.sort = { column, down: again ? !this.sort.down : Boolean(column.falls) };
    this.sorted = null;
    this.heads.forEach((head, index) => head.setAttribute("aria-sort", this.direction(this.columns[index])));
    this.first();
  }

  direction(column) {
    return this.sort.column !== column ? "none" : this.sort.down ? "descending" : "ascending";
  }

  first() {
    this.at = 0;
    this.place.scrollTop = 0;
    this.arrange();
  }

  arrange() {
    this.sorted ??= this.inOrder();
    this.view = this.sorted.filter(this.keep);
    this.at = Math.min(this.at, Math.max(this.view.length - 1, 0));
    this.table.setAttribute("aria-rowcount", this.view.length + 1);
    this.shown(this.view.length, this.rows.length);
    this.draw();
  }

  // Rows are in the order of trials; those that are equal stay so, and those without a value come last.
  inOrder() {
    const { column, down } = this.sort;
    const values = this.rows.map(column.value);
    const [given, none] = [[], []];
    values.forEach((value, index) => (value == null ? none : given).push(index));
    const sign = down ? -1 : 1;
    if (column.number) given.sort((a, b) => sign * (values[a] - values[b]) || a - b);
    else given.sort((a, b) => (values[a] === values[b] ? a - b : values[a] < values[b] ? -sign : sign));
    return given.concat(none).map((index) => this.rows[index]);
  }

  draw() {
    const count = this.view.length;
    const first = Math.max(0, Math.min(Math.floor(this.place.scrollTop / ROW) - SPARE, count - 1));
    const last = Math.min(count, first + Math.ceil(this.place.clientHeight / ROW) + 2 * SPARE);
    const made = [this.spacer(first)];
    for (let index = first; index < last; index++) made.push(this.row(index));
    made.push(this.spacer(count - last));
    this.body.replaceChildren(...made);
    const active = this.at >= first && this.at < last && count > 0;
    if (active) this.table.setAttribute("aria-activedescendant", `row-${this.view[this.at].trial}`);
    else this.table.removeAttribute("aria-activedescendant");
  }

  spacer(rows) {
    const gap = cell("tr", { className: "spacer", ariaHidden: "true" }, cell("td", { colSpan: this.columns.length + 1 }));
    gap.firstChild.style.height = rows * ROW + "px";
    return gap;
  }

  row(index) {
    const row = this.view[index];
    const chosen = this.chosen(row);
    const made = cell("tr", { id: `row-${row.trial}` });
    made.setAttribute("aria-rowindex", index + 2);
    made.setAttribute("aria-selected", chosen);
    made.classList.toggle("chosen", chosen);
    made.classList.toggle("at", index === this.at);
    const box = cell("input", { type: "checkbox", checked: chosen, tabIndex: -1, ariaLabel: `Choose trial ${row.trial} for a comparison` });
    this.columns.forEach((column, at) => {
      const text = column.text(row);
      made.append(cell(at ? "td" : "th", { className: `${column.number ? "n" : ""} ${column.class?.(row) ?? ""}`, textContent: text, title: at && text.length > 24 ? text : "" }));
      if (at === 0) made.append(cell("td", {}, box));
    });
    return made;
  }

  click(event) {
    const row = this.of(event.target);
    if (!row) return;
    this.at = this.view.indexOf(row);
    if (event.target.closest("input")) this.choose(row);
    else this.open(row);
    this.draw();
    if (!document.querySelector("dialog[open]")) this.table.focus({ preventScroll: true });
  }

  of(target) {
    const id = target.closest("tr")?.id ?? "";
    const trial = Number(id.slice("row-".length));
    return id.startsWith("row-") ? this.view.find((row) => row.trial === trial) : undefined;
  }

  key(event) {
    if (event.target !== this.table || event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(this.place.clientHeight / ROW) - 2);
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    const row = this.view[this.at];
    if (event.key in moves) this.move(moves[event.key]);
    else if (event.key === "Enter" && row) this.open(row);
    else if (event.key === " " && row) { this.choose(row); this.draw(); }
    else return;
    event.preventDefault();
  }

  move(by) {
    this.at = Math.min(Math.max(this.at + by, 0), Math.max(this.view.length - 1, 0));
    const [top, height] = [this.at * ROW, this.place.clientHeight - 2 * ROW];
    if (top < this.place.scrollTop) this.place.scrollTop = top;
    else if (top > this.place.scrollTop + height) this.place.scrollTop = top - height;
    this.draw();
  }
}

const FIELDS = { score: "score", loss: "loss", params: "params", macs: "macs", epochs: "epochs", time: "seconds", trial: "trial" };
const UNITS = { "": 1, k: 1e3, m: 1e6, g: 1e9 };

// What a filter's words ask of a row: every word has to hold.
export const wanted = (text) => {
  const tests = text.trim().toLowerCase().split(/\s+/).filter(Boolean).map((word) => {
    const found = word.match(/^(\w+)(<=|>=|<|>|=)(-?\d*\.?\d+(?:e-?\d+)?)([kmg]?)$/);
    const field = found && FIELDS[found[1]];
    if (field) {
      const [sign, bound] = [found[2], Number(found[3]) * UNITS[found[4]]];
      const holds = { "<": (a) => a < bound, ">": (a) => a > bound, "<=": (a) => a <= bound, ">=": (a) => a >= bound, "=": (a) => a === bound }[sign];
      return (row) => row[field] != null && holds(row[field]);
    }
    if (word === "failed") return (row) => row.failure != null;
    if (word === "finished") return (row) => row.score != null;
    if (word === "open") return (row) => !row.done;
    return (row) => (row.words ??= `${row.trial} ${row.key} ${row.failure ?? ""} ${row.message ?? ""} ${row.fidelity ?? ""}`.toLowerCase()).includes(word);
  });
  return (row) => tests.every((test) => test(row));
};
