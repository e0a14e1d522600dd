// Figures as the report writes them, and elements.
export const score = (value) => (value == null ? "\u2013" : value.toFixed(4));
export const grouped = (value) => (value == null ? "\u2013" : value.toLocaleString("en-US"));
export const plural = (count, noun) => `${grouped(count)} ${count === 1 ? noun : noun.endsWith("y") ? noun.slice(0, -1) + "ies" : noun + "s"}`;
export const duration = (seconds) => {
  if (seconds == null) return "\u2013";
  const whole = Math.round(seconds);
  if (whole < 10) return `${seconds.toFixed(1)} s`;
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
};
export const moment = (at) => new Date(at * 1e3).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });

export const $ = (id) => document.getElementById(id);

// An element: properties, then children; what is null is left out. Text is never markup.
export const make = (name, properties = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in made && key !== "role") made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child != null));
  return made;
};
