// Small helpers to make and change elements. Text is always text here; ready HTML comes from the
// server only, where everything written by people and bots has been escaped.

export const $ = (selector, root = document) => root.querySelector(selector);

/** h("button", {class: "x", onclick: f, dataset: {ts}}, "text", child…) */
export function h(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "dataset") Object.assign(element.dataset, value);
    else if (key === "html") element.innerHTML = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

export function iconButton(name, label, onclick) {
  return h("button", { type: "button", class: "icon-button", "aria-label": label, title: label, onclick }, icon(name));
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const stopwatch = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });

/** Slack's ts ("1700000000.000100") as a time of day. */
export const timeOf = (ts) => clock.format(new Date(Number(ts) * 1000));
export const secondOf = (seconds) => stopwatch.format(new Date(seconds * 1000));

export const plural = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

/** A steady hue for a person: the same id has the same colour everywhere. */
export function hueOf(id) {
  let sum = 7;
  for (const letter of id) sum = (sum * 31 + letter.charCodeAt(0)) % 360;
  return sum;
}

let fading;
/** A short notice at the foot of the page, read out politely. */
export function toast(text, kind = "") {
  const place = $("#toast");
  place.replaceChildren(h("p", { class: kind }, text));
  clearTimeout(fading);
  fading = setTimeout(() => place.replaceChildren(), 6000);
}
