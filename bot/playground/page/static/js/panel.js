// Behind the scenes: the bot's process, what is used of Slack's budgets, faults to try, and a
// timeline of everything that goes over the wires.

import { $, h } from "./dom.js";
import { startFaults } from "./faults.js";
import { emit, on, state } from "./store.js";
import { ask } from "./talk.js";
import { startTimeline } from "./timeline.js";

const EDITS = "chat.update";
const WIDE = matchMedia("(min-width: 1340px)"); // below, it lies over the thread (layout.css)
const TALL = matchMedia("(min-height: 1000px)");
const app = $("#app");

export function startPanel() {
  const process = h("section", { class: "card process", "aria-label": "The bot’s process" });
  const budget = h("section", { class: "card", "aria-label": "Slack’s budgets" });
  const faults = h("details", { class: "card", open: TALL.matches }, h("summary", {}, "Faults to try"));
  const timeline = h("section", { class: "card timeline", "aria-label": "Timeline" });
  $("#panel-body").append(process, budget, faults, timeline);
  startFaults(faults);
  startTimeline(timeline);
  on("snapshot process", () => drawProcess(process));
  on("snapshot budget budgets", () => drawBudgets(budget));
  $("#panel-toggle").addEventListener("click", () => toggle());
  $("#panel-close").addEventListener("click", () => toggle(false));
  $("#bot-state").addEventListener("click", () => toggle(true));
  toggle(WIDE.matches);
}

function toggle(open = app.dataset.panel !== "open") {
  app.dataset.panel = open ? "open" : "closed";
  $("#panel").inert = !open;
  $("#panel-toggle").setAttribute("aria-expanded", String(open));
  emit("panel", { open });
}

const WORDS = { up: "up", starting: "starting…", down: "down" };

function drawProcess(place) {
  const { state: now, pid, sentence } = state.process;
  const pill = $("#bot-state");
  pill.dataset.state = now;
  $("span", pill).textContent = `bot: ${WORDS[now]}`;
  const crash = h("button", { type: "button", class: "btn danger", onclick: () => ask("crash"),
    title: "kill -9, then start again: does every answer still arrive, once?" }, "Crash the bot");
  const restart = h("button", { type: "button", class: "btn", onclick: () => ask("restart") }, pid ? "Restart" : "Start");
  crash.disabled = !pid;
  const focused = document.activeElement?.closest?.(".process .btn")?.textContent;
  place.replaceChildren(
    h("h3", {}, "The bot ", h("span", { class: "bot-state", dataset: { state: now } }, h("i", { class: "dot" }), WORDS[now]),
      h("span", { class: "quiet-text pid" }, pid ? `pid ${pid}` : "")),
    sentence ? h("p", { class: "notice bad" }, sentence) : "",
    h("div", { class: "row" }, crash, restart));
  if (focused) [...place.querySelectorAll(".btn")].find((button) => button.textContent === focused)?.focus();
}

/** Green while there is room, amber when it gets tight, red when Slack is about to say 429. */
const levelOf = ({ used, limit }) => (used >= limit * 0.94 ? "red" : used >= limit * 0.7 ? "amber" : "green");

function drawBudgets(place) {
  const edits = state.budgets.get(EDITS) ?? { method: EDITS, used: 0, limit: 50 };
  const others = [...state.budgets.values()].filter((each) => each.method !== EDITS && each.used > 0);
  place.replaceChildren(
    h("h3", {}, "Edits in the last minute"),
    gauge(edits),
    others.length ? h("ul", { class: "budgets", "aria-label": "Other methods in the last minute" }, ...others.map(bar)) : "");
}

/** One cell for every edit Slack takes in a minute. */
function gauge(budget) {
  const cells = Array.from({ length: budget.limit }, (_, index) => h("i", { class: index < budget.used ? "on" : null }));
  return h("div", { class: "gauge", dataset: { level: levelOf(budget) } },
    h("p", {}, h("b", { class: "used" }, String(budget.used)), ` of ${budget.limit} `, h("code", {}, EDITS)),
    h("div", { class: "cells", role: "meter", "aria-label": "Edits used", "aria-valuemin": 0,
      "aria-valuemax": budget.limit, "aria-valuenow": budget.used }, ...cells));
}

function bar(budget) {
  const fill = h("i");
  fill.style.inlineSize = `${Math.min(100, (100 * budget.used) / budget.limit)}%`;
  return h("li", { dataset: { level: levelOf(budget) } },
    h("code", {}, budget.method), h("span", { class: "quiet-text" }, `${budget.used}/${budget.limit}`), h("span", { class: "bar" }, fill));
}
