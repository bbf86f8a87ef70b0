// Puts the page together: which place is shown, and what is drawn anew when something changes.

import { handleActions } from "./actions.js";
import { Composer } from "./composer.js";
import { $, h, plural } from "./dom.js";
import { welcomeFor } from "./hints.js";
import { MessageList } from "./list.js";
import { startPanel } from "./panel.js";
import { listenToMenu } from "./shortcuts.js";
import { drawSidebar, placesInOrder } from "./sidebar.js";
import { directChannel, inThread, isReply, messageAt, messagesOf, nameOf, on, state, statusOf } from "./store.js";
import { ask, listen } from "./talk.js";
import { drawHome, drawModal, listenToDialog } from "./views.js";

const app = $("#app");
const NARROW = matchMedia("(max-width: 760px)");
const JUST_NOW = 120; // seconds in which an answer to one's own message opens its thread

const main = new MessageList($("#messages"), $("#scroll-main"), {
  wanted: () => messagesOf(state.view.channel).filter((each) => !isReply(each)),
  openThread, edit: (channel, ts) => mainComposer.edit(ts, messageAt(channel, ts).typed),
  latest: (message) => (message.reply_count && state.thread?.ts !== message.ts
    ? messageAt(state.view.channel, message.latest_reply) : null),
});
const thread = new MessageList($("#replies"), $("#scroll-thread"), {
  wanted: () => messagesOf(state.thread.channel).filter((each) => inThread(each, state.thread.ts)),
  openThread, edit: (channel, ts) => threadComposer.edit(ts, messageAt(channel, ts).typed), inThread: true,
});
const mainComposer = new Composer($("#foot-main"), { id: "field-main", send: (text, ts) => send(text, ts, state.view.channel) });
const threadComposer = new Composer($("#foot-thread"), {
  id: "field-thread", commands: false, send: (text, ts) => send(text, ts, state.thread.channel, state.thread.ts),
});
const atWork = {}; // where a press of Stop goes
const statusLines = { main: statusLine("#foot-main"), thread: statusLine("#foot-thread") };

function send(text, editing, channel, threadTs) {
  (threadTs ? thread : main).toEnd();
  if (editing) return ask("edit", { channel, ts: editing, text });
  return ask("say", { channel, text, thread_ts: threadTs });
}

function statusLine(foot) {
  const line = h("span", { role: "status" });
  const stop = h("button", { type: "button", class: "btn stop", hidden: true, onclick: () => ask("stop", atWork) }, "Stop");
  $(foot).prepend(h("p", { class: "status" }, line, stop));
  return { line, stop };
}

// going places

export function go(view) {
  const changed = view.channel !== state.view?.channel || view.home !== state.view?.home;
  state.view = view;
  if (changed) closeThread({ back: false });
  show("main");
  if (view.home) ask("home", { tab: "home" });
  else if (state.channels.get(view.channel)?.kind === "im" && changed) ask("home", { tab: "messages" });
  state.unread.delete(view.channel);
  drawPlace();
  drawSidebar(go);
  if (!NARROW.matches && !view.home) mainComposer.field.focus();
}

function show(pane) {
  app.dataset.pane = pane;
}

function drawPlace() {
  const { channel, home } = state.view;
  $("#home").hidden = !home;
  $("#messages").hidden = $("#foot-main").hidden = Boolean(home);
  $("#title").textContent = home ? `${state.bot.full}’s home` : nameOf(channel);
  $("#subtitle").textContent = home ? "What the app shows you about itself" : subtitle(state.channels.get(channel));
  document.title = `${$("#title").textContent} · Playground`;
  if (home) {
    $("#welcome").hidden = true;
    return drawHome();
  }
  main.reset();
  mainComposer.goTo(channel, `Message ${nameOf(channel)}`);
  drawWelcome();
  drawStatus();
}

function subtitle(place) {
  if (place.kind === "im") return "Direct messages, between you and the bot";
  const people = place.members.filter((id) => id !== state.bot.id).length;
  return `${plural(people, "person", "people")}${place.bot_is_member ? " and the bot" : ", without the bot"}`;
}

function drawWelcome() {
  const place = $("#welcome");
  const welcome = welcomeFor(state.view.channel, { fill: (text) => mainComposer.fill(text), go });
  place.hidden = !welcome;
  place.replaceChildren(...(welcome ? [welcome] : []));
}

/** `since` is the moment, in seconds, from which on a newer question may take the thread's place. */
function openThread(channel, ts, since = Date.now() / 1000) {
  state.thread = { channel, ts, since };
  state.unreadThreads.delete(ts);
  $("#thread").hidden = false;
  app.dataset.thread = "open";
  $("#thread-place").textContent = nameOf(channel);
  thread.reset();
  threadComposer.goTo(ts, "Reply in the thread");
  main.update();
  drawStatus();
  show("thread");
  if (!NARROW.matches) threadComposer.field.focus();
}

function closeThread({ back = true } = {}) {
  const was = state.thread;
  state.thread = null;
  $("#thread").hidden = true;
  delete app.dataset.thread;
  show("main");
  if (was && !state.view.home) main.update();
  if (was && back && !NARROW.matches) mainComposer.field.focus();
}

// hearing what changed

on("snapshot", () => {
  ask("locale", { locale: navigator.language }); // the person's Slack speaks the browser's language
  if (!state.view) state.view = { channel: [...state.channels.keys()][0] };
  $("#about-model").replaceChildren(...(state.about.demo
    ? ["answered by a demo model", h("span", { class: "wide" }, "; nothing leaves this machine")]
    : [`answered by ${state.about.model}`, h("span", { class: "wide" }, ", a real model: questions go to its server")]));
  drawPlace();
  drawSidebar(go);
  drawModal();
  if (state.thread) thread.reset();
});

on("message ephemeral message_deleted ephemeral_deleted", (change) => {
  const { channel, message } = change;
  if (message && !change.before) arrived(channel, message);
  if (state.thread?.channel === channel && !messageAt(channel, state.thread.ts)) closeThread();
  if (state.view?.channel === channel) {
    main.update();
    drawWelcome();
  }
  if (state.thread?.channel === channel) {
    thread.update();
    drawStatus();
  }
});

/** A message nobody has seen yet: mark it unread, or bring the reader to it. */
function arrived(channel, message) {
  if (message.user === state.me.id) return;
  const root = isReply(message) ? messageAt(channel, message.thread_ts) : null;
  if (root && state.thread?.ts !== root.ts) {
    if (shouldOpen(channel, root)) return openThread(channel, root.ts, Number(root.ts));
    state.unreadThreads.add(root.ts);
  }
  if (state.view?.channel !== channel || document.hidden) {
    state.unread.set(channel, (state.unread.get(channel) ?? 0) + 1);
    drawSidebar(go);
  }
}

function shouldOpen(channel, root) {
  const fresh = Date.now() / 1000 - Number(root.ts) < JUST_NOW;
  const undisturbed = !state.thread || (threadComposer.empty && Number(root.ts) > state.thread.since);
  return fresh && undisturbed && !NARROW.matches && root.user === state.me.id && state.view.channel === channel;
}

on("channel", () => {
  drawSidebar(go);
  if (state.view?.channel) drawPlace();
});
on("home", () => state.view?.home && drawHome());
on("process", () => state.view?.home && drawHome());
on("modal", ({ errors }) => drawModal(errors));
on("status", drawStatus);
on("connection", () => {
  $("#about-model").textContent = "the connection to the playground is lost; trying again…";
});
setInterval(drawStatus, 5000); // a status ends by itself

function drawStatus() {
  const say = (text) => (text ? `${state.bot.full} ${text}` : "");
  const busy = state.view?.channel && [...state.statuses.values()].find((each) => each.channel === state.view.channel
    && statusOf(each.channel, each.thread_ts));
  statusLines.main.line.textContent = busy ? say(busy.status) : "";
  const { line, stop } = statusLines.thread;
  line.textContent = state.thread ? say(statusOf(state.thread.channel, state.thread.ts)) : "";
  stop.hidden = !canBeStopped();
}

/** Slack's own Stop, which it has in direct messages only: the bot thinks or streams in the thread shown. */
function canBeStopped() {
  if (!state.thread || state.channels.get(state.thread.channel)?.kind !== "im") return false;
  const { channel, ts } = state.thread;
  atWork.channel = channel;
  atWork.thread_ts = ts;
  return Boolean(statusOf(channel, ts)) || messagesOf(channel).some((each) => each.live && inThread(each, ts));
}

// what people do with pointer and keyboard

const inMessage = (channel) => (element) => ({ channel: channel(), message_ts: element.closest("li.message").dataset.ts });
handleActions($("#messages"), inMessage(() => state.view.channel));
handleActions($("#replies"), inMessage(() => state.thread.channel));
handleActions($("#home"), () => ({ view_id: state.home.id }));
handleActions($("#modal"), () => ({ view_id: state.modal.id }));
$("#messages").addEventListener("click", (event) => main.handle(event, state.view.channel));
$("#replies").addEventListener("click", (event) => thread.handle(event, state.thread.channel));
$("#thread-close").addEventListener("click", () => closeThread());
for (const back of document.querySelectorAll("[data-go]")) {
  back.addEventListener("click", () => (back.dataset.go === "main" ? closeThread() : show(back.dataset.go)));
}
document.addEventListener("click", (event) => {
  const mention = event.target.closest(".mention[data-channel]");
  const named = mention && state.channels.get(mention.dataset.channel);
  if (named) go({ channel: named.id });
  else if (event.target.closest(`.mention[data-user="${state.bot?.id}"]`)) go({ channel: directChannel().id });
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !document.querySelector("dialog[open], :popover-open") && state.thread) closeThread();
  if (event.altKey && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    event.preventDefault();
    step(event.key === "ArrowDown" ? 1 : -1);
  }
});
window.addEventListener("focus", () => {
  if (state.view && state.unread.delete(state.view.channel)) drawSidebar(go);
});

function step(by) {
  const places = placesInOrder();
  const here = places.findIndex((each) => each.channel === state.view.channel && each.home === state.view.home);
  go(places[(here + by + places.length) % places.length]);
}

startPanel();
listenToDialog();
listenToMenu();
listen();
