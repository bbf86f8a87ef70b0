// Every Web API call, event and upstream connection, newest first.

import { h, secondOf } from "./dom.js";
import { on, state } from "./store.js";

const SHOWN = 200;
const KINDS = [["all", "All"], ["slack", "Slack"], ["event", "Events"], ["upstream", "Model"], ["bot", "Bot"], ["fault", "Faults"], ["bad", "Errors"]];

export function startTimeline(place) {
  let kind = "all";
  let waiting = false;
  let open = true;
  const list = h("ol", { class: "entries", "aria-label": "Newest first" });
  const filters = KINDS.map(([value, label]) => h("button", {
    type: "button", class: "filter", "aria-pressed": String(value === kind), dataset: { kind: value },
    onclick: () => {
      kind = value;
      for (const each of filters) each.setAttribute("aria-pressed", String(each.dataset.kind === kind));
      draw();
    },
  }, label));
  const fits = (entry) => kind === "all" || entry.kind === kind || (kind === "bad" && isBad(entry));

  function draw() {
    const entries = state.log.filter(fits).slice(-SHOWN).reverse();
    list.replaceChildren(...(entries.length ? entries.map(row) : [h("li", { class: "empty" }, "Nothing yet.")]));
  }
  function add(entry) {
    if (!open || !fits(entry)) return;
    list.querySelector(".empty")?.remove();
    list.prepend(row(entry));
    while (list.children.length > SHOWN) list.lastElementChild.remove();
  }

  place.append(h("h3", {}, "Timeline"), h("div", { class: "filters", role: "group", "aria-label": "Show" }, ...filters), list);
  on("snapshot", draw);
  on("log", add);
  on("panel", (change) => {
    open = change.open;
    if (open && !waiting) {
      waiting = true;
      requestAnimationFrame(() => ((waiting = false), draw()));
    }
  });
}

const ERROR_LEVELS = new Set(["error", "critical"]);

export function isBad({ what, detail = {} }) {
  return Number(detail.status) >= 400 || Boolean(detail.error) || Boolean(detail.lost) || what === "drop"
    || ERROR_LEVELS.has(detail.level) || (what === "down" && Boolean(detail.why));
}

function row(entry) {
  const detail = Object.entries(entry.detail ?? {}).filter(([, value]) => value !== null && value !== "" && value !== undefined);
  const summary = h("summary", {},
    h("time", {}, secondOf(entry.at)), h("span", { class: "kind" }, LABELS[entry.kind] ?? entry.kind),
    h("span", { class: "what" }, entry.what), h("span", { class: "short" }, shortly(entry.detail ?? {})));
  const rows = detail.flatMap(([key, value]) => [h("dt", {}, key), h("dd", {}, asText(value))]);
  return h("li", { class: isBad(entry) ? "bad" : null, dataset: { kind: entry.kind } },
    h("details", {}, summary, h("dl", {}, ...rows)));
}

const LABELS = { slack: "Slack", event: "event", upstream: "model", bot: "bot", fault: "fault" };
/** The part of the details that fits beside the name: what went wrong, else how long it took. */
function shortly({ error, status, code, lost, retry, ms, events, retry_after, outcome, why, surface, model }) {
  if (lost) return "reply lost";
  if (error || code) return String(error || code);
  if (Number(status) >= 400) return retry_after ? `${status}, ${retry_after} s` : String(status);
  if (retry > 0) return `retry ${retry}`;
  if (events !== undefined) return `${events} events`;
  if (ms !== undefined) return `${ms} ms`;
  return String(outcome ?? surface ?? model ?? why ?? "");
}

const asText = (value) => (typeof value === "object" ? JSON.stringify(value) : String(value));
