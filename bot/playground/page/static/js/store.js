// What the page knows, and who wants to hear when it changes. The server's word is always right:
// a snapshot replaces everything, a change replaces one thing.

export const state = {
  me: null,
  bot: null,
  team: null,
  users: new Map(),
  channels: new Map(),
  messages: new Map(), // channel id → Map(ts → message), in the order of ts
  home: null,
  modal: null,
  statuses: new Map(), // "channel thread_ts" → {status, until}
  budgets: new Map(),
  log: [],
  faults: {},
  process: { state: "down", pid: null, sentence: "" },
  about: { model: "", demo: true, commands: [], shortcuts: [] },
  connected: false,
  view: null, // {channel} or {home: true}
  thread: null, // {channel, ts, since}
  unread: new Map(), // channel id → count
  unreadThreads: new Set(), // root ts
};

const LOG_KEPT = 1000;
const listeners = new Map();

export function on(kinds, listener) {
  for (const kind of kinds.split(" ")) {
    if (!listeners.has(kind)) listeners.set(kind, []);
    listeners.get(kind).push(listener);
  }
}

export function emit(kind, payload = {}) {
  for (const listener of listeners.get(kind) ?? []) listener(payload);
}

/** One line of the feed: take it in, then say so. */
export function receive(change) {
  const before = reducers[change.type]?.(change);
  emit(change.type, { ...change, before });
}

const byId = (list) => new Map(list.map((each) => [each.id, each]));

const reducers = {
  snapshot(all) {
    Object.assign(state, {
      me: all.me, bot: all.bot, team: all.team, home: all.home, modal: all.modal,
      log: all.log, faults: all.faults, process: all.process, about: all.about,
      users: byId(all.users),
      channels: byId(all.channels),
      statuses: new Map(all.statuses.map((each) => [`${each.channel} ${each.thread_ts}`, each])),
      budgets: new Map(all.budgets.map((each) => [each.method, each])),
      messages: new Map(Object.entries(all.messages).map(([channel, list]) =>
        [channel, new Map(list.map((message) => [message.ts, message]))])),
      connected: true,
    });
  },
  channel: (channel) => void state.channels.set(channel.id, channel),
  message: ({ channel, message }) => put(channel, message),
  ephemeral: ({ channel, message }) => put(channel, message),
  message_deleted: ({ channel, ts }) => void state.messages.get(channel)?.delete(ts),
  ephemeral_deleted: ({ channel, ts }) => void state.messages.get(channel)?.delete(ts),
  home: ({ view }) => void (state.home = view),
  modal: ({ view }) => void (state.modal = view),
  status: (status) => void state.statuses.set(`${status.channel} ${status.thread_ts}`, status),
  budget: (budget) => void state.budgets.set(budget.method, budget),
  budgets: ({ budgets }) => void (state.budgets = new Map(budgets.map((each) => [each.method, each]))),
  faults: (faults) => void (state.faults = faults),
  process: (process) => void (state.process = process),
  log(entry) {
    state.log.push(entry);
    if (state.log.length > LOG_KEPT) state.log.splice(0, state.log.length - LOG_KEPT);
  },
};

/** Returns what stood there before; new messages come last, as their ts says. */
function put(channel, message) {
  if (!state.messages.has(channel)) state.messages.set(channel, new Map());
  const messages = state.messages.get(channel);
  const before = messages.get(message.ts);
  messages.set(message.ts, message);
  return before;
}

// reading

export const messagesOf = (channel) => [...(state.messages.get(channel)?.values() ?? [])];
export const messageAt = (channel, ts) => state.messages.get(channel)?.get(ts);
export const isReply = (message) => Boolean(message.thread_ts) && message.thread_ts !== message.ts;
export const inThread = (message, root) => message.ts === root || message.thread_ts === root;
export const directChannel = () => [...state.channels.values()].find((each) => each.kind === "im");

export function statusOf(channel, threadTs) {
  const found = state.statuses.get(`${channel} ${threadTs}`);
  return found && found.status && found.until > Date.now() / 1000 ? found.status : "";
}

/** What the page calls a place: "#general", or the bot's name. */
export function nameOf(channel) {
  const found = state.channels.get(channel);
  if (!found) return "";
  return found.kind === "im" ? state.bot.full : `#${found.name}`;
}
