// A list of messages that changes in place, and follows its end only while the reader is there.

import { $, h, hueOf, icon, iconButton, plural, timeOf, toast } from "./dom.js";
import { morph } from "./morph.js";
import { menuTool, openMenu } from "./shortcuts.js";
import { isReply, state } from "./store.js";
import { ask } from "./talk.js";
import { markVotes } from "./votes.js";

const TOGETHER_SECONDS = 300; // messages of one person this close need no second name
const NEAR_END = 60; // pixels from the end that count as being there

export class MessageList {
  /** `list` scrolls inside `scroll`; `wanted` picks what to show, `latest` the newest reply to a message. */
  constructor(list, scroll, { wanted, openThread, edit, latest, inThread = false }) {
    Object.assign(this, { list, scroll, wanted, openThread, edit, latest, inThread });
    this.pill = h("button", { type: "button", class: "to-end", hidden: true, onclick: () => this.toEnd() },
      icon("down"), "Newest");
    scroll.after(this.pill);
    scroll.addEventListener("scroll", () => this.#notice(), { passive: true });
    this.following = true;
    list.addEventListener("keydown", (event) => this.#walk(event));
    new ResizeObserver(() => this.#follow()).observe(list);
    new ResizeObserver(() => this.#follow()).observe(scroll);
  }

  /** Draw everything anew, at the end. */
  reset() {
    this.list.replaceChildren();
    this.following = true;
    this.update();
    this.toEnd();
  }

  /** Draw what has changed. */
  update() {
    const messages = this.wanted();
    const present = new Map([...this.list.children].map((item) => [item.dataset.ts, item]));
    let previous = null;
    let place = this.list.firstElementChild;
    for (const message of messages) {
      const standing = present.get(message.ts);
      present.delete(message.ts);
      const item = this.#refresh(standing, message, previous);
      if (item === place) place = place.nextElementSibling;
      else this.list.insertBefore(item, place);
      previous = message;
    }
    for (const item of present.values()) item.remove();
    this.#offerTabStop();
    this.#follow();
  }

  /** The item of a message, changed only if something about it has changed. */
  #refresh(standing, message, previous) {
    const latest = this.inThread ? null : this.latest(message);
    const shown = [message, isTogether(message, previous), latest, state.unreadThreads.has(message.ts)];
    if (standing?.shown.every((each, index) => each === shown[index])) return standing;
    const drawn = this.#draw(message, shown[1], latest);
    const item = standing ? morph(standing, drawn) : drawn;
    item.shown = shown;
    return item;
  }

  /** One message can be reached by Tab, the others from it by arrow keys. */
  #offerTabStop(wanted = null) {
    const items = [...this.list.children];
    const stop = wanted ?? items.find((item) => item.contains(document.activeElement)) ?? items.at(-1);
    for (const item of items) item.tabIndex = item === stop ? 0 : -1;
  }

  #walk(event) {
    const next = { ArrowUp: "previousElementSibling", ArrowDown: "nextElementSibling" }[event.key];
    const to = next && !event.altKey && event.target.matches("li.message") && event.target[next];
    if (!to) return;
    event.preventDefault();
    this.#offerTabStop(to);
    to.focus();
  }

  toEnd() {
    this.following = true;
    this.#follow();
  }

  #follow() {
    if (this.following) this.scroll.scrollTop = this.scroll.scrollHeight;
    this.#notice();
  }

  #notice() {
    const left = this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight;
    this.following = left < NEAR_END;
    this.pill.hidden = this.following;
  }

  #draw(message, together, latest) {
    const body = h("div", { class: "body", html: message.html });
    markVotes(body);
    if (message.edited) lastBlock(body).append(" ", h("span", { class: "edited" }, "(edited)"));
    return h("li", { class: classesOf(message, together), dataset: { ts: message.ts, user: message.user } },
      together ? h("time", { class: "margin-time" }, timeOf(message.ts)) : avatar(message),
      h("div", { class: "content" },
        together ? null : byline(message),
        message.ephemeral ? h("p", { class: "only-you" }, "Only visible to you") : null,
        body,
        this.inThread || isReply(message) ? null : replies(message, latest)),
      message.gone ? null : this.#tools(message));
  }

  #tools(message) {
    const mine = message.user === state.me.id && !message.ephemeral;
    const tool = (name, label) => {
      const button = iconButton(name, label);
      button.dataset.deed = name;
      return button;
    };
    return h("div", { class: "tools", role: "group", "aria-label": `Message of ${timeOf(message.ts)}` },
      this.inThread || message.ephemeral ? null : tool("thread", "Reply in a thread"),
      tool("copy", "Copy the text"),
      message.ephemeral || !state.about.shortcuts.length ? null : menuTool(),
      mine ? tool("edit", "Edit") : null,
      mine ? tool("delete", "Delete") : null);
  }

  /** What the small buttons at a message do; one listener for the whole list. */
  handle(event, channel) {
    const button = event.target.closest("[data-deed]");
    const item = button?.closest("li.message");
    if (!item || !this.list.contains(item)) return;
    const ts = item.dataset.ts;
    if (button.dataset.deed === "more") return openMenu(button, { channel, ts });
    const deeds = {
      thread: () => this.openThread(channel, ts),
      copy: () => copy($(".body", item).innerText),
      edit: () => this.edit(channel, ts),
      delete: () => ask("delete", { channel, ts }),
    };
    deeds[button.dataset.deed]();
  }
}

export function copy(text) {
  navigator.clipboard.writeText(text).then(() => toast("Copied."), () => toast("The browser did not allow it.", "bad"));
}

function classesOf(message, together) {
  const marks = [["together", together], ["ephemeral", message.ephemeral], ["gone", message.gone], ["by-bot", message.bot], ["live", message.live]];
  return ["message", ...marks.filter(([, holds]) => holds).map(([name]) => name)].join(" ");
}

/** Where "(edited)" belongs: behind the last words, or under a last block that has none. */
function lastBlock(body) {
  let last = body;
  while (last.lastElementChild?.matches(".block, .section-body, p, .rich_text, div:not(.table)")) last = last.lastElementChild;
  return last;
}

export function avatar({ user, name, bot }) {
  const face = h("span", { class: bot ? "avatar bot" : "avatar", "aria-hidden": "true" }, bot ? icon("bot") : name.slice(0, 1).toUpperCase());
  face.style.setProperty("--hue", hueOf(user || name));
  return face;
}

/** The first words of some HTML, for a line that shows only as much as fits. */
function beginningOf(html) {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  return parsed.body.textContent.replace(/\s+/g, " ").trim().slice(0, 160);
}

function byline(message) {
  const author = state.users.get(message.user);
  return h("p", { class: "byline" },
    h("b", {}, author?.full ?? message.name),
    message.bot ? h("span", { class: "badge" }, "app") : null,
    h("time", {}, timeOf(message.ts)));
}

/** Close in time and by the same person: needs no second name. */
function isTogether(message, previous) {
  return Boolean(previous) && previous.user === message.user && !message.ephemeral && !previous.ephemeral
    && Number(message.ts) - Number(previous.ts) < TOGETHER_SECONDS && !previous.reply_count;
}

function replies(message, latest) {
  if (!message.reply_count) return null;
  const fresh = state.unreadThreads.has(message.ts);
  const faces = message.reply_users.slice(0, 3).map((id) => {
    const user = state.users.get(id);
    return user ? avatar({ user: id, name: user.name, bot: user.bot }) : null;
  });
  return h("button", { type: "button", class: fresh ? "replies fresh" : "replies", dataset: { deed: "thread" } },
    ...faces, h("span", {}, plural(message.reply_count, "reply", "replies")),
    fresh ? h("span", { class: "new" }, "new") : null,
    h("span", { class: "quiet-text" }, `last at ${timeOf(message.latest_reply)}`),
    latest ? h("span", { class: "preview" }, beginningOf(latest.html)) : null);
}
