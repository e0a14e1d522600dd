(() => {
  "use strict";
  document.documentElement.classList.add("js");
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.setAttribute("role", "status");
  document.body.append(tip);
  const show = (mark) => {
    tip.textContent = mark.dataset.tip;
    const at = mark.getBoundingClientRect();
    const half = tip.offsetWidth / 2;
    const middle = Math.min(Math.max(at.left + at.width / 2, half + 8), innerWidth - half - 8);
    tip.style.left = scrollX + middle - half + "px";
    tip.style.top = scrollY + at.top - tip.offsetHeight - 8 + "px";
    tip.classList.add("on");
  };
  const hide = () => tip.classList.remove("on");
  for (const mark of document.querySelectorAll("[data-tip]")) {
    mark.querySelector("title")?.remove();
    mark.addEventListener("pointerenter", () => show(mark));
    mark.addEventListener("pointerleave", hide);
  }

  const round = (about) => {
    const power = 10 ** Math.floor(Math.log10(about));
    return [1, 2, 5, 10].find((factor) => factor * power >= about * 0.999) * power;
  };
  const short = (value) => {
    const [scaled, unit] = value >= 1e9 ? [value / 1e9, "G"] : value >= 1e6 ? [value / 1e6, "M"] : value >= 1e3 ? [value / 1e3, "k"] : [value, ""];
    return (scaled < 10 ? scaled.toFixed(1) : scaled.toFixed(0)).replace(/\.0$/, "") + unit;
  };
  const label = (value, from, to) => {
    if (Math.max(Math.abs(from), Math.abs(to)) >= 1000) return short(value);
    return value.toFixed(Math.max(0, -Math.floor(Math.log10(round((to - from) / 6)) + 1e-9)));
  };
  const ticks = (from, to, log) => {
    const found = [];
    if (log && to / from > 20) {
      const [first, last] = [Math.floor(Math.log10(from)), Math.ceil(Math.log10(to))];
      for (let power = first; power <= last; power++)
        for (const step of to / from > 3e3 ? [1] : [1, 3]) found.push(step * 10 ** power);
      return found.filter((tick) => tick >= from && tick <= to);
    }
    const step = round((to - from) / 6);
    for (let tick = Math.ceil(from / step); tick * step <= to; tick++) found.push(tick * step);
    return found;
  };
  const SVG = "http://www.w3.org/2000/svg";
  const element = (name, attributes, text) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  };

  for (const plot of document.querySelectorAll(".plot > svg")) {
    const numbers = (name) => plot.dataset[name].split(",").map(Number);
    const [x0, x1, xLog] = numbers("x");
    const [y0, y1, yLog] = numbers("y");
    const [left, top, right, bottom] = numbers("frame");
    const marks = [...plot.querySelectorAll(".mark")].map((mark) => {
      const [, x, y] = mark.getAttribute("transform").match(/translate\(([-\d.]+) ([-\d.]+)\)/);
      const whisker = mark.querySelector(".whisker");
      const ends = whisker && [+whisker.getAttribute("y1"), +whisker.getAttribute("y2")];
      return { mark, x: +x, y: +y, whisker, ends };
    });
    const lines = [...plot.querySelectorAll("polyline,polygon")].map((line) => ({
      line,
      points: line.getAttribute("points").trim().split(/\s+/).filter(Boolean).map((point) => point.split(",").map(Number)),
    }));
    let [k, dx, dy] = [1, 0, 0];
    const value = (place, from, to, log) => (log ? from * (to / from) ** place : from + place * (to - from));
    const draw = () => {
      for (const { mark, x, y, whisker, ends } of marks) {
        mark.setAttribute("transform", `translate(${k * x + dx} ${k * y + dy})`);
        if (whisker) [whisker.setAttribute("y1", k * ends[0]), whisker.setAttribute("y2", k * ends[1])];
      }
      for (const { line, points } of lines)
        line.setAttribute("points", points.map(([x, y]) => `${k * x + dx},${k * y + dy}`).join(" "));
      const place = (at, shift, from, to) => ((at - shift) / k - from) / (to - from);
      const [xa, xb] = [left, right].map((at) => value(place(at, dx, left, right), x0, x1, xLog));
      const [ya, yb] = [bottom, top].map((at) => value(place(at, dy, bottom, top), y0, y1, yLog));
      const axes = plot.querySelector(".axes");
      axes.replaceChildren();
      const share = (tick, from, to, log) => (log ? Math.log(tick / from) / Math.log(to / from) : (tick - from) / (to - from));
      for (const tick of ticks(ya, yb, yLog)) {
        const y = bottom + share(tick, ya, yb, yLog) * (top - bottom);
        axes.append(element("line", { x1: left, x2: right, y1: y, y2: y }), element("text", { class: "ty", x: left - 8, y: y + 4.5 }, label(tick, ya, yb)));
      }
      for (const tick of ticks(xa, xb, xLog)) {
        const x = left + share(tick, xa, xb, xLog) * (right - left);
        axes.append(element("line", { class: "v", x1: x, x2: x, y1: bottom, y2: bottom + 5 }), element("text", { class: "tx", x, y: bottom + 21 }, label(tick, xa, xb)));
      }
      hide();
    };
    const zoom = (factor, x = (left + right) / 2, y = (top + bottom) / 2) => {
      const next = Math.min(Math.max(k * factor, 0.25), 200);
      [dx, dy] = [x - ((x - dx) * next) / k, y - ((y - dy) * next) / k];
      k = next;
      draw();
    };
    const reset = () => { [k, dx, dy] = [1, 0, 0]; draw(); };
    const pan = (x, y) => { dx += x; dy += y; draw(); };
    const point = (event) => {
      const box = plot.getBoundingClientRect();
      const scale = 640 / box.width;
      return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
    };
    const buttons = document.createElement("div");
    buttons.className = "zoom";
    for (const [text, name, act] of [["+", "Zoom in", () => zoom(1.6)], ["\u2212", "Zoom out", () => zoom(1 / 1.6)], ["Reset", "Show all", reset]]) {
      const button = document.createElement("button");
      [button.type, button.textContent, button.ariaLabel] = ["button", text, name];
      button.addEventListener("click", act);
      buttons.append(button);
    }
    plot.before(buttons);
    plot.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey && document.activeElement !== plot) return;
      event.preventDefault();
      zoom(event.deltaY < 0 ? 1.25 : 0.8, ...point(event));
    }, { passive: false });
    plot.addEventListener("dblclick", (event) => zoom(2, ...point(event)));
    let held = null;
    plot.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "touch") return;
      held = point(event);
      plot.setPointerCapture(event.pointerId);
    });
    plot.addEventListener("pointermove", (event) => {
      if (!held) return;
      const now = point(event);
      pan(now[0] - held[0], now[1] - held[1]);
      held = now;
    });
    plot.addEventListener("pointerup", () => { held = null; });
    plot.addEventListener("keydown", (event) => {
      const acts = { "+": () => zoom(1.4), "=": () => zoom(1.4), "-": () => zoom(1 / 1.4), 0: reset, Escape: reset,
        ArrowLeft: () => pan(40, 0), ArrowRight: () => pan(-40, 0), ArrowUp: () => pan(0, 40), ArrowDown: () => pan(0, -40) };
      const act = acts[event.key];
      if (act && !event.ctrlKey && !event.metaKey && !event.altKey) { event.preventDefault(); act(); }
    });
  }
  addEventListener("beforeprint", () => { for (const more of document.querySelectorAll("details")) more.open = true; });
})();
