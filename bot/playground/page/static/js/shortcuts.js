// The menu of a message, with the app's shortcuts. There is one menu for the whole page.

import { $, h, iconButton } from "./dom.js";
import { state } from "./store.js";
import { ask } from "./talk.js";

const GAP = 4; // pixels between the button and its menu

/** The button at a message that opens the menu. */
export function menuTool() {
  const button = iconButton("more", "More actions");
  button.dataset.deed = "more";
  button.setAttribute("aria-haspopup", "menu");
  return button;
}

/** Show the menu below its button; `place` is the message: {channel, ts}. */
export function openMenu(button, place) {
  const menu = $("#shortcuts");
  menu.replaceChildren(...state.about.shortcuts.map(([id, name]) => h("button", {
    type: "button", role: "menuitem", tabindex: "-1", onclick: () => choose(menu, button, { ...place, callback_id: id }),
  }, name)));
  menu.showPopover();
  const at = button.getBoundingClientRect();
  menu.style.insetInlineStart = `${Math.max(GAP, at.right - menu.offsetWidth)}px`;
  const below = at.bottom + GAP + menu.offsetHeight < innerHeight;
  menu.style.insetBlockStart = `${below ? at.bottom + GAP : at.top - GAP - menu.offsetHeight}px`;
  menu.firstElementChild.focus();
}

function choose(menu, button, shortcut) {
  menu.hidePopover();
  button.focus();
  ask("shortcut", shortcut);
}

export function listenToMenu() {
  $("#shortcuts").addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const items = [...event.currentTarget.children];
    items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
  });
}
