// Which feedback button a person has pressed. As in Slack, a block with a new id has no vote yet.

import { state } from "./store.js";

const votes = new Map(); // by person and block id

const keyOf = (block) => `${state.me.id} ${block}`;

export function vote(block, value) {
  votes.set(keyOf(block), value);
}

/** Show in `root` what the person has voted. */
export function markVotes(root) {
  for (const button of root.querySelectorAll(".feedback button")) {
    const given = votes.get(keyOf(button.closest("[data-block]").dataset.block));
    button.setAttribute("aria-pressed", String(given === button.dataset.value));
  }
}
