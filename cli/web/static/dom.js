// Making elements. Text is only ever set as text, so nothing from a file name can become markup.

const SVG = "http://www.w3.org/2000/svg";

export const $ = (id) => document.getElementById(id);

/** Make an element: properties (`class`, `onclick`, `aria-...`, `data-...`), then children. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  assign(node, props);
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

/** The same for SVG. */
export function svg(tag, props = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  assign(node, props);
  node.append(...children);
  return node;
}

function assign(node, props) {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
}

export function icon(name) {
  return svg("svg", { class: "icon", "aria-hidden": "true" }, svg("use", { href: `#i-${name}` }));
}

/** A button with words, or an icon and words. */
export const act = (text, onclick) => el("button", { class: "quiet", type: "button", onclick }, text);

/** A button that takes something away, for those who do not see its cross, too. */
export const cross = (label, onclick) => el("button", { class: "tool", type: "button", "aria-label": label, onclick }, icon("close"));

/** 75.04 -> "1:15"; with `tenths` "1:15.0". */
export function clock(seconds, tenths = false) {
  const whole = Math.floor(seconds);
  const two = (n) => String(n).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const text = hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
  return tenths ? `${text}.${Math.floor(seconds * 10) % 10}` : text;
}

/** A range of time, in tenths where it is short. */
export function span(start, end) {
  const short = end - start < 2;
  return `${clock(start, short)}–${clock(end, short)}`;
}

/** A number with so many decimals, and a minus as wide as a plus. */
export const decimal = (n, digits = 1) => (Number(n.toFixed(digits)) + 0).toFixed(digits).replace("-", "−");

export const count = (n, one, many = `${one}s`) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

export const nameOf = (path) => path.slice(path.lastIndexOf("/") + 1);
