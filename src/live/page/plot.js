// A plot in the look of the report, drawn again whenever its data change. It answers the pointer, zooms, and can be
// walked with the keyboard. Many points are one path, so that ten thousand cost one element.
const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [640, 380, 74, 620, 16, 326];
const REACH = 14;

const SVG = "http://www.w3.org/2000/svg";
const element = (name, attributes, ...children) => {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

const round = (about) => {
  const power = 10 ** Math.floor(Math.log10(about));
  return [1, 2, 5, 10].find((factor) => factor * power >= about * 0.999) * power;
};

export const short = (value) => {
  const [scaled, unit] = value >= 1e9 ? [value / 1e9, "G"] : value >= 1e6 ? [value / 1e6, "M"] : value >= 1e3 ? [value / 1e3, "k"] : [value, ""];
  return (scaled < 10 ? scaled.toFixed(1) : scaled.toFixed(0)).replace(/\.0$/, "") + unit;
};

// An axis around numbers, with some room.
export const around = (label, values, log = false) => {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  if (low > high) [low, high] = [0, 1];
  if (log) {
    [low, high] = [Math.max(low, 1), Math.max(high, 1)];
    const room = Math.max((high / low) ** 0.08, 1.15);
    return { label, log, from: low / room, to: high * room };
  }
  const room = high > low ? (high - low) * 0.06 : Math.max(Math.abs(high) * 0.02, 1e-3);
  return { label, log, from: low - room, to: high + room };
};

const place = ({ from, to, log }, value) => (log ? Math.log(Math.max(value, 1e-9) / from) / Math.log(to / from) : (value - from) / (to - from));
const value = ({ from, to, log }, at) => (log ? from * (to / from) ** at : from + at * (to - from));

const ticks = ({ from, to, log, whole }) => {
  const found = [];
  if (log && to / from > 20) {
    const [first, last] = [Math.floor(Math.log10(from)), Math.ceil(Math.log10(to))];
    for (let power = first; power <= last; power++)
      for (const step of to / from > 3e3 ? [1] : [1, 3]) found.push(step * 10 ** power);
    return found.filter((tick) => tick >= from && tick <= to);
  }
  const step = Math.max(round((to - from) / 6), whole ? 1 : 0);
  for (let tick = Math.ceil(from / step); tick * step <= to; tick++) found.push(tick * step);
  return found;
};

const tickText = ({ from, to, whole }, tick) => {
  if (whole && to < 1000) return String(tick);
  if (Math.max(Math.abs(from), Math.abs(to)) >= 1000) return short(tick);
  return tick.toFixed(Math.max(0, -Math.floor(Math.log10(round((to - from) / 6)) + 1e-9)));
};

let tip = null;
const showTip = (text, left, top) => {
  if (!tip) {
    tip = Object.assign(document.createElement("div"), { className: "tip", role: "status" });
    document.body.append(tip);
  }
  tip.textContent = text;
  const half = tip.offsetWidth / 2;
  tip.style.left = scrollX + Math.min(Math.max(left, half + 8), innerWidth - half - 8) - half + "px";
  tip.style.top = scrollY + top - tip.offsetHeight - 12 + "px";
  tip.classList.add("on");
};
const hideTip = () => tip?.classList.remove("on");

export class Plot {
  // `pick` is called with the id of a point that was clicked or entered.
  constructor(figure, title, caption, pick) {
    this.pick = pick;
    this.view = { x: [0, 1], y: [0, 1] };
    this.data = null;
    this.at = -1;
    this.svg = element("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "group", "aria-label": `${title}. Arrows walk through its points, plus and minus zoom, 0 shows all.`, tabindex: 0 });
    this.axes = element("g", { class: "axes" });
    this.names = element("g", {});
    this.inside = element("svg", { class: "inside", x: LEFT, y: TOP, width: RIGHT - LEFT, height: BOTTOM - TOP, viewBox: `${LEFT} ${TOP} ${RIGHT - LEFT} ${BOTTOM - TOP}` });
    this.svg.append(this.axes, this.names, this.inside);
    const buttons = Object.assign(document.createElement("div"), { className: "zoom" });
    for (const [text, name, act] of [["+", "Zoom in", () => this.zoom(1.6)], ["\u2212", "Zoom out", () => this.zoom(1 / 1.6)], ["Reset", "Show all", () => this.reset()]]) {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: text, ariaLabel: `${name}: ${title}` });
      button.addEventListener("click", act);
      buttons.append(button);
    }
    const words = Object.assign(document.createElement("figcaption"), { textContent: caption });
    figure.replaceChildren(buttons, this.svg, words);
    this.listen();
  }

  // `lines` are {class, points}, `dots` {class, points}, `marks` {class, x, y}; `targets` are {x, y, id, tip()}.
  show(data) {
    this.data = data;
    this.order = null;
    this.draw();
  }

  axis(name) {
    const base = this.data[name];
    const [a, b] = this.view[name];
    return { ...base, from: value(base, a), to: value(base, b) };
  }

  draw() {
    if (!this.data) return;
    const [x, y] = [this.axis("x"), this.axis("y")];
    const atX = (number) => LEFT + place(x, number) * (RIGHT - LEFT);
    const atY = (number) => BOTTOM - place(y, number) * (BOTTOM - TOP);
    [this.atX, this.atY] = [atX, atY];
    this.axes.replaceChildren();
    for (const tick of ticks(y)) {
      const h = atY(tick);
      this.axes.append(element("line", { x1: LEFT, x2: RIGHT, y1: h, y2: h }), element("text", { class: "ty", x: LEFT - 8, y: h + 4.5 }, tickText(y, tick)));
    }
    for (const tick of ticks(x)) {
      const w = atX(tick);
      this.axes.append(element("line", { class: "v", x1: w, x2: w, y1: BOTTOM, y2: BOTTOM + 5 }), element("text", { class: "tx", x: w, y: BOTTOM + 21 }, tickText(x, tick)));
    }
    this.names.replaceChildren(
      element("line", { class: "base", x1: LEFT, x2: RIGHT, y1: BOTTOM, y2: BOTTOM }),
      element("text", { class: "name", x: RIGHT, y: HEIGHT - 8, "text-anchor": "end" }, x.label),
      element("text", { class: "name", transform: `translate(17 ${(TOP + BOTTOM) / 2}) rotate(-90)`, "text-anchor": "middle" }, y.label),
    );
    const made = [];
    for (const { class: kind, points } of this.data.dots ?? []) {
      let path = "";
      for (const point of points) path += `M${atX(point.x).toFixed(1)} ${atY(point.y).toFixed(1)}h0`;
      made.push(element("path", { class: `dots ${kind}`, d: path }));
    }
    for (const { class: kind, points } of this.data.lines ?? [])
      made.push(element("polyline", { class: `line ${kind}`, points: points.map((point) => `${atX(point.x).toFixed(1)},${atY(point.y).toFixed(1)}`).join(" ") }));
    for (const { class: kind, x: px, y: py } of this.data.marks ?? [])
      made.push(element("g", { class: `mark ${kind}`, transform: `translate(${atX(px).toFixed(1)} ${atY(py).toFixed(1)})` }, element("circle", { r: 6 })));
    this.ring = element("circle", { class: "at", r: 9, visibility: "hidden" });
    this.inside.replaceChildren(...made, this.ring);
  }

  reset() {
    this.view = { x: [0, 1], y: [0, 1] };
    hideTip();
    this.draw();
  }

  zoom(factor, x = (LEFT + RIGHT) / 2, y = (TOP + BOTTOM) / 2) {
    const shares = { x: (x - LEFT) / (RIGHT - LEFT), y: (BOTTOM - y) / (BOTTOM - TOP) };
    for (const name of ["x", "y"]) {
      const [a, b] = this.view[name];
      const length = Math.min(Math.max((b - a) / factor, 0.005), 4);
      const middle = a + shares[name] * (b - a);
      this.view[name] = [middle - shares[name] * length, middle + (1 - shares[name]) * length];
    }
    hideTip();
    this.draw();
  }

  pan(x, y) {
    for (const [name, by] of [["x", -x / (RIGHT - LEFT)], ["y", y / (BOTTOM - TOP)]]) {
      const [a, b] = this.view[name];
      this.view[name] = [a + by * (b - a), b + by * (b - a)];
    }
    hideTip();
    this.draw();
  }

  // Shows the tip of a target and rings it.
  point(target) {
    if (!target) {
      this.ring?.setAttribute("visibility", "hidden");
      return hideTip();
    }
    const [x, y] = [this.atX(target.x), this.atY(target.y)];
    for (const [key, number] of [["cx", x], ["cy", y]]) this.ring.setAttribute(key, number);
    this.ring.setAttribute("visibility", "visible");
    const box = this.svg.getBoundingClientRect();
    const scale = box.width / WIDTH;
    showTip(target.tip(), box.left + x * scale, box.top + y * scale);
  }

  nearest(x, y) {
    let [found, least] = [null, REACH * REACH];
    for (const target of this.data?.targets ?? []) {
      const [dx, dy] = [this.atX(target.x) - x, this.atY(target.y) - y];
      const distance = dx * dx + dy * dy;
      if (distance < least) [found, least] = [target, distance];
    }
    return found;
  }

  step(by) {
    const targets = this.data?.targets ?? [];
    if (!targets.length) return;
    this.order ??= [...targets].sort((a, b) => a.x - b.x || a.y - b.y);
    this.at = this.at < 0 ? (by > 0 ? 0 : this.order.length - 1) : Math.min(Math.max(this.at + by, 0), this.order.length - 1);
    this.point(this.order[this.at]);
  }

  listen() {
    const svg = this.svg;
    const where = (event) => {
      const box = svg.getBoundingClientRect();
      const scale = WIDTH / box.width;
      return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
    };
    let [held, moved] = [null, false];
    svg.addEventListener("pointerdown", (event) => { [held, moved] = [where(event), false]; });
    svg.addEventListener("pointermove", (event) => {
      const now = where(event);
      if (!held || event.pointerType === "touch" || !event.buttons) return this.point(this.nearest(...now));
      if (!moved && Math.hypot(now[0] - held[0], now[1] - held[1]) < 4) return;
      if (!moved) svg.setPointerCapture(event.pointerId);
      moved = true;
      this.pan(now[0] - held[0], now[1] - held[1]);
      held = now;
    });
    svg.addEventListener("pointerup", () => { held = null; });
    svg.addEventListener("pointerleave", () => this.point(null));
    svg.addEventListener("click", (event) => {
      const target = !moved && this.nearest(...where(event));
      if (target && target.id !== undefined) this.pick?.(target.id);
    });
    svg.addEventListener("dblclick", (event) => this.zoom(2, ...where(event)));
    svg.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey && document.activeElement !== svg) return;
      event.preventDefault();
      this.zoom(event.deltaY < 0 ? 1.25 : 0.8, ...where(event));
    }, { passive: false });
    svg.addEventListener("blur", () => { this.at = -1; this.point(null); });
    svg.addEventListener("keydown", (event) => {
      const far = event.shiftKey;
      const acts = {
        "+": () => this.zoom(1.4), "=": () => this.zoom(1.4), "-": () => this.zoom(1 / 1.4), 0: () => this.reset(), Escape: () => this.reset(),
        ArrowLeft: () => (far ? this.pan(40, 0) : this.step(-1)), ArrowRight: () => (far ? this.pan(-40, 0) : this.step(1)),
        ArrowUp: () => (far ? this.pan(0, 40) : this.step(10)), ArrowDown: () => (far ? this.pan(0, -40) : this.step(-10)),
        Enter: () => { const target = this.order?.[this.at]; if (target?.id !== undefined) this.pick?.(target.id); },
      };
      const act = acts[event.key];
      if (act && !event.ctrlKey && !event.metaKey && !event.altKey) { event.preventDefault(); act(); }
    });
  }
}
