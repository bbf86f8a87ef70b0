// The two ways to the server: a WebSocket that tells, and POST requests that ask.

import { toast } from "./dom.js";
import { emit, receive, state } from "./store.js";

let writer = new URLSearchParams(location.search).get("as") ?? "";
let socket;
let pause = 500;

/** Listen for as long as the page stands; comes back by itself. */
export function listen() {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  socket = new WebSocket(`${scheme}://${location.host}/play/feed?as=${encodeURIComponent(writer)}`);
  const mine = socket;
  mine.addEventListener("open", () => (pause = 500));
  mine.addEventListener("message", ({ data }) => mine === socket && receive(JSON.parse(data)));
  mine.addEventListener("close", () => {
    if (mine !== socket) return;
    state.connected = false;
    emit("connection");
    setTimeout(listen, pause);
    pause = Math.min(pause * 2, 5000);
  });
}

/** Go on as somebody else of the team. */
export function becomeUser(user) {
  writer = user;
  const old = socket;
  listen();
  old.close();
}

/** Do something; what comes of it arrives over the feed. Tells the reader when it was refused. */
export async function ask(deed, body = {}) {
  const withUser = deed === "fault" ? body : { ...body, user: writer || undefined };
  try {
    const answer = await fetch(`/play/${deed}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(withUser),
    });
    const said = await answer.json();
    if (said.ok) return true;
    toast(said.error, "bad");
  } catch {
    toast("The playground does not answer. Is it still running?", "bad");
  }
  return false;
}
