// Switches for things that go wrong in real life. The board says which are in force; they show it.

import { h } from "./dom.js";
import { on, state } from "./store.js";
import { ask } from "./talk.js";

const LOSE_EVERY = 3; // with lost replies on, Slack does every third write and never says so
const AWAY = 1.5; // seconds a line stays dead after a cut: long enough to be seen
const NONE = { drop_at: null, stall_at: null, model_status: 0, slack_status: 0, lose_every: 0 };

export function startFaults(place) {
  const controls = [
    choice("Stream is cut", "drop_at", [["no", null], ["30 %", 0.3], ["60 %", 0.6], ["90 %", 0.9]],
      { model: true, more: { drop_times: 1, drop_seconds: AWAY } }),
    choice("Stream stalls", "stall_at", [["no", null], ["at 50 %", 0.5]], { model: true }),
    choice("Model says", "model_status", [["ok", 0], ["429", 429], ["500", 500]], { model: true, more: { model_status_times: 1 } }),
    choice("Slack says", "slack_status", [["ok", 0], ["429", 429], ["500", 500]], { more: { slack_status_times: 1 } }),
    choice("Replies", "lose_every", [["arrive", 0], [`1 in ${LOSE_EVERY} lost`, LOSE_EVERY]]),
  ];
  const off = h("button", { type: "button", class: "btn", onclick: () => ask("fault", NONE) }, "All well again");
  const refresh = h("button", { type: "button", class: "btn", onclick: () => ask("refresh"),
    title: "Slack asks the bot to open its socket anew" }, "Refresh socket");
  const note = h("p", { class: "quiet-text" });
  place.append(...controls.map((control) => control.element), note, h("div", { class: "row" }, refresh, off));
  on("snapshot faults", () => {
    for (const control of controls) control.draw();
    const inForce = Object.keys(NONE).some((key) => state.faults[key] !== NONE[key]);
    off.disabled = !inForce;
    place.classList.toggle("in-force", inForce);
    note.textContent = state.about.demo ? "" : "Faults of the model need the demo model.";
  });
}

/** A row of alternatives of which one is in force. */
function choice(title, key, options, { model = false, more = {} } = {}) {
  const inputs = options.map(([label, value]) => {
    const input = h("input", { type: "radio", name: `fault-${key}`, onchange: () => ask("fault", { [key]: value, ...more }) });
    return { input, value, element: h("label", {}, input, h("span", {}, label)) };
  });
  const element = h("div", { class: "choice", role: "radiogroup", "aria-label": title }, h("span", {}, title),
    h("div", { class: "segments" }, ...inputs.map((each) => each.element)));
  const draw = () => {
    const useless = model && !state.about.demo;
    element.setAttribute("aria-disabled", String(useless));
    for (const { input, value } of inputs) {
      input.checked = state.faults[key] === value;
      input.disabled = useless;
    }
  };
  return { element, draw };
}
