// App Home and modals.

import { valuesOf } from "./actions.js";
import { $, h, iconButton } from "./dom.js";
import { morphInto } from "./morph.js";
import { state } from "./store.js";
import { ask } from "./talk.js";

export function drawHome() {
  const home = $("#home");
  if (state.home?.html) return morphInto(home, state.home.html);
  const text = state.process.state === "up"
    ? "The bot has not put anything here yet."
    : "The bot is not up yet; it fills this page when it is.";
  morphInto(home, `<p class="empty">${text}</p>`);
}

/** Show the modal on top, the complaints about it, or none. */
export function drawModal(errors = null) {
  const dialog = $("#modal");
  if (!state.modal) return dialog.close();
  if (errors) return complain(dialog, errors);
  if (dialog.dataset.view === state.modal.id && dialog.open) morphInto($(".modal-body", dialog), state.modal.html);
  else build(dialog, state.modal);
  if (!dialog.open) dialog.showModal();
  $("[autofocus], .modal-body :is(input, textarea, select)", dialog)?.focus();
}

function build(dialog, view) {
  dialog.dataset.view = view.id;
  const submit = view.submit ? h("button", { class: "btn primary", type: "submit", html: view.submit }) : null;
  const form = h("form", {},
    h("header", { class: "pane-head" }, h("h2", { id: "modal-title", html: view.title }), iconButton("close", "Close", close)),
    h("div", { class: "modal-body", html: view.html }),
    h("p", { class: "complaint", role: "alert", dataset: { of: "" } }),
    h("div", { class: "dialog-foot" }, h("button", { class: "btn", type: "button", html: view.close, onclick: close }), submit));
  form.addEventListener("submit", (event) => (event.preventDefault(), send(form, view.id)));
  dialog.replaceChildren(form);
}

async function send(form, viewId) {
  for (const place of form.querySelectorAll(".complaint")) place.textContent = "";
  const values = valuesOf(form);
  const missing = [...form.querySelectorAll(".block.input")]
    .filter((block) => $("[data-required]", block) && !values[block.dataset.block]?.length);
  if (missing.length) {
    for (const block of missing) $(".complaint", block).textContent = "Please fill in this field.";
    return $("[data-action]", missing[0]).focus();
  }
  await ask("submit", { view_id: viewId, values });
}

function complain(dialog, errors) {
  for (const [block, text] of Object.entries(errors)) {
    const place = block ? $(`[data-block="${CSS.escape(block)}"] .complaint`, dialog) : $(".complaint[data-of]", dialog);
    if (place) place.textContent = text;
  }
}

function close() {
  if (state.modal) ask("close", { view_id: state.modal.id });
}

export function listenToDialog() {
  $("#modal").addEventListener("cancel", (event) => (event.preventDefault(), close()));
}
