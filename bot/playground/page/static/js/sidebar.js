// Channels, the bot's direct messages and home; what is unread; who writes.

import { $, h, icon, plural } from "./dom.js";
import { state } from "./store.js";
import { becomeUser } from "./talk.js";

export function drawSidebar(go) {
  $("#team").textContent = state.team.name;
  const channels = [...state.channels.values()];
  $("#places").replaceChildren(
    group("Channels", channels.filter((each) => each.kind !== "im").map((each) => channelItem(each, go))),
    group("Direct messages", [
      ...channels.filter((each) => each.kind === "im").map((each) => channelItem(each, go)),
    ]),
    group("Apps", [item({ name: `${state.bot.full}’s home`, sign: "home", here: Boolean(state.view?.home), open: () => go({ home: true }) })]));
  drawWriter();
}

/** The places in the order shown, for going up and down with the keyboard. */
export function placesInOrder() {
  const all = [...state.channels.values()];
  const sorted = [...all.filter((each) => each.kind !== "im"), ...all.filter((each) => each.kind === "im")];
  return [...sorted.map((each) => ({ channel: each.id })), { home: true }];
}

const SIGNS = { channel: "hash", private: "lock", im: "bot" };

function channelItem(channel, go) {
  return item({
    name: channel.kind === "im" ? state.bot.full : channel.name,
    sign: SIGNS[channel.kind],
    here: state.view?.channel === channel.id,
    unread: state.unread.get(channel.id) ?? 0,
    absent: channel.kind !== "im" && !channel.bot_is_member,
    open: () => go({ channel: channel.id }),
  });
}

function item({ name, sign, here, unread = 0, absent = false, open }) {
  return h("li", {}, h("button", {
    type: "button", class: unread ? "place unread" : "place", "aria-current": here ? "page" : null, onclick: open,
    title: absent ? "The bot is not in this channel" : null,
  }, icon(sign), h("span", { class: "place-name" }, name),
    absent ? h("span", { class: "quiet-text" }, "no bot") : null,
    unread ? h("span", { class: "count", "aria-label": plural(unread, "unread message") }, String(unread)) : null));
}

function group(title, items) {
  return h("section", {}, h("h3", {}, title), h("ul", { "aria-label": title }, ...items));
}

function drawWriter() {
  const people = [...state.users.values()].filter((user) => !user.bot);
  const select = h("select", { "aria-label": "Write as", onchange: (event) => becomeUser(event.target.value) },
    ...people.map((user) => h("option", { value: user.id, selected: user.id === state.me.id }, user.full)));
  $("#you").replaceChildren("You write as ", select);
}
