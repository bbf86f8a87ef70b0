// Buttons, menus and inputs of Block Kit: which message or view they stand in, and what they say.

import { $, h } from "./dom.js";
import { copy } from "./list.js";
import { ask } from "./talk.js";
import { markVotes, vote } from "./votes.js";

/** Listen to a pane. `place(element)` says where an element stands: {channel, message_ts} or {view_id}. */
export function handleActions(pane, place) {
  pane.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.hasAttribute("data-copy")) copyCode(button);
    else if (button?.dataset.action) press(button, button.dataset.value ?? null, place);
  });
  pane.addEventListener("change", (event) => {
    const element = event.target.closest("[data-action]");
    if (element && !element.closest(".block.input")) press(element, valueOf(element), place);
  });
}

async function press(element, value, place) {
  const asked = element.dataset.confirm;
  if (asked && !(await confirmed(JSON.parse(asked)))) return;
  if (element.dataset.url) window.open(element.dataset.url, "_blank", "noopener,noreferrer");
  element.classList.add("pressed");
  if (element.closest(".feedback")) {
    vote(element.closest("[data-block]").dataset.block, value);
    markVotes(element.closest(".body"));
  }
  await ask("press", {
    ...place(element),
    block_id: element.closest("[data-block]").dataset.block,
    action_id: element.dataset.action,
    value,
  });
  element.classList.remove("pressed");
  if (element.classList.contains("menu")) element.value = "";
}

/** What an element holds, as a plain value: text, the value of a choice, or a list of them. */
export function valueOf(element) {
  if (element.classList.contains("boxes")) {
    const chosen = [...element.querySelectorAll("input:checked")].map((input) => input.value);
    return element.dataset.type === "radio_buttons" ? chosen[0] ?? null : chosen;
  }
  if (element.multiple) return [...element.selectedOptions].map((option) => option.value);
  return element.value || null;
}

/** The values of all inputs of a view, by block id. */
export function valuesOf(root) {
  const inputs = [...root.querySelectorAll(".block.input")];
  return Object.fromEntries(inputs.map((block) => [block.dataset.block, valueOf($("[data-action]", block))]));
}

/** Ask before an action that wants it; Esc means no. */
function confirmed({ title, text, confirm, deny }) {
  const dialog = $("#confirm");
  dialog.replaceChildren(h("form", { method: "dialog" },
    h("h2", { id: "confirm-title" }, title || "Are you sure?"), h("p", {}, text),
    h("div", { class: "dialog-foot" },
      h("button", { class: "btn", value: "" }, deny || "Cancel"),
      h("button", { class: "btn primary", value: "yes" }, confirm || "Yes"))));
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

function copyCode(button) {
  copy($("code", button.closest("figure")).innerText);
}
