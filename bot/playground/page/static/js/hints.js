// What a newcomer can try, in words of this workspace.

import { h } from "./dom.js";
import { directChannel, messagesOf, nameOf, state } from "./store.js";
import { ask } from "./talk.js";

/** A welcome with things to try; null once somebody has written here. */
export function welcomeFor(channel, { fill, go }) {
  const place = state.channels.get(channel);
  if (!place || messagesOf(channel).some((message) => message.user === state.me.id)) return null;
  const chips = suggestions(place).map((text) =>
    h("button", { type: "button", class: "chip", onclick: () => fill(text) }, text));
  return h("section", { class: "welcome", "aria-label": "First steps" },
    h("h2", {}, greeting(place)),
    h("p", {}, explanation(place)),
    h("p", { class: "chips" }, ...chips),
    place.bot_is_member ? null : h("button", { type: "button", class: "btn", onclick: () => ask("invite", { channel }) },
      `Invite ${state.bot.full} to this channel`),
    place.kind === "im" ? null : h("p", { class: "quiet-text" }, "Or write to ",
      h("button", { type: "button", class: "link", onclick: () => go({ channel: directChannel().id }) }, `${state.bot.full} directly`),
      ", where no @ is needed."));
}

function greeting(place) {
  return place.kind === "im" ? `Your direct messages with ${state.bot.full}` : `Ask ${state.bot.full} in ${nameOf(place.id)}`;
}

function explanation(place) {
  if (place.kind === "im") return "Everything you write here is a question. The answer appears as it is written.";
  if (!place.bot_is_member) return `${state.bot.full} is not in this channel and can’t read it. A command still works, and only you see its answer.`;
  return "Mention the bot and its answer grows in a thread under your message. A command answers you alone.";
}

function suggestions(place) {
  const [command] = state.about.commands[0] ?? ["/ask"];
  if (place.kind === "im") return ["What can you do?", "Show me a table", "Write some Python with an explanation"];
  if (!place.bot_is_member) return [`${command} What can you do?`];
  return [`@${state.bot.name} What can you do?`, `@${state.bot.name} Show me a table and some code`, `${command} Explain rate limits in short`];
}
