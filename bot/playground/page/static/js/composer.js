// The field in which messages and commands are written, with completion of names and commands.

import { h, icon } from "./dom.js";
import { state } from "./store.js";

const TOUCH = matchMedia("(pointer: coarse)");
const WORD = /(^|[\s(])([@#/])([\w-]*)$/;
let count = 0;

export class Composer {
  /** `send(text)` says whether it was taken; `label` names the place for everybody. */
  constructor(foot, { id, send, commands = true }) {
    Object.assign(this, { send, commands, drafts: new Map(), key: "", editing: null });
    const listId = `completion-${++count}`;
    this.field = h("textarea", {
      id, rows: 1, role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false",
      "aria-controls": listId, autocomplete: "off", spellcheck: "true", maxlength: 40000,
      enterkeyhint: "send",
    });
    this.list = h("ul", { id: listId, class: "completion", role: "listbox", "aria-label": "Suggestions", hidden: true });
    this.button = h("button", { type: "submit", class: "send", "aria-label": "Send", disabled: true }, icon("send"));
    this.notice = h("p", { class: "editing", hidden: true }, "Editing your message. ",
      h("button", { type: "button", class: "link", onclick: () => this.stopEditing() }, "Cancel"));
    this.form = h("form", { class: "composer" }, this.list, this.notice,
      h("div", { class: "composer-row" }, this.field, this.button),
      h("p", { class: "keys" }, h("kbd", {}, "Enter"), " sends · ", h("kbd", {}, "Shift Enter"), " new line · ",
        h("kbd", {}, "@"), " people", commands ? [" · ", h("kbd", {}, "/"), " commands"] : null));
    foot.append(this.form);
    this.form.addEventListener("submit", (event) => (event.preventDefault(), this.submit()));
    this.field.addEventListener("input", () => this.#changed());
    this.field.addEventListener("keydown", (event) => this.#key(event));
    this.field.addEventListener("blur", () => setTimeout(() => document.activeElement !== this.field && this.#close(), 150));
    this.field.addEventListener("click", () => this.#complete());
  }

  /** Write somewhere else from now on; what was begun there is still there. */
  goTo(key, label) {
    if (this.editing) this.stopEditing();
    this.drafts.set(this.key, this.field.value);
    this.key = key;
    this.field.setAttribute("aria-label", label);
    this.field.placeholder = label;
    this.fill(this.drafts.get(key) ?? "", { focus: false });
  }

  fill(text, { focus = true } = {}) {
    this.field.value = text;
    if (focus) this.field.focus();
    this.#changed();
    this.#close();
  }

  get empty() {
    return !this.field.value.trim();
  }

  edit(ts, text) {
    this.editing = ts;
    this.notice.hidden = false;
    this.fill(text);
  }

  stopEditing() {
    this.editing = null;
    this.notice.hidden = true;
    this.fill("");
  }

  async submit() {
    const text = this.field.value;
    if (!text.trim()) return;
    const editing = this.editing;
    this.stopEditing();
    if (!(await this.send(text, editing)) && this.empty) this.fill(text);
  }

  #changed() {
    this.field.style.height = "auto";
    if (this.field.scrollHeight) this.field.style.height = `${this.field.scrollHeight}px`;
    this.button.disabled = this.empty;
    this.#complete();
  }

  #key(event) {
    if (event.isComposing) return;
    if (!this.list.hidden && this.#choosing(event)) return;
    if (event.key === "Enter" && !event.shiftKey && !TOUCH.matches) {
      event.preventDefault();
      this.submit();
    } else if (event.key === "Escape" && this.editing) {
      event.stopPropagation();
      this.stopEditing();
    }
  }

  /** Keys that belong to the open list of suggestions. */
  #choosing(event) {
    const options = [...this.list.children];
    const now = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.#select(options[(now + step + options.length) % options.length]);
    else if (event.key === "Enter" || event.key === "Tab") this.#take(options[now]);
    else if (event.key === "Escape") this.#close();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  #complete() {
    const before = this.field.value.slice(0, this.field.selectionStart);
    const found = WORD.exec(before);
    const options = found ? this.#options(found[2], found[3].toLowerCase(), before.length === found[3].length + 1) : [];
    if (!options.length) return this.#close();
    this.list.replaceChildren(...options.map((each, index) => this.#option(each, index)));
    this.list.hidden = false;
    this.field.setAttribute("aria-expanded", "true");
    this.#select(this.list.firstElementChild);
  }

  #options(sign, begun, atStart) {
    if (sign === "/" && !(atStart && this.commands)) return [];
    const all = { "@": people, "#": channels, "/": commands }[sign]();
    const fitting = all.filter(({ word, hint }) => [word.slice(1), ...hint.split(" ")]
      .some((part) => part.toLowerCase().startsWith(begun)));
    const done = fitting.length === 1 && fitting[0].word.slice(1).toLowerCase() === begun;
    return done && sign === "/" ? [] : fitting.slice(0, 8);
  }

  #option({ word, hint }, index) {
    return h("li", { role: "option", id: `${this.list.id}-${index}`, "aria-selected": "false", dataset: { word },
      onpointerdown: (event) => (event.preventDefault(), this.#take(event.currentTarget)) },
      h("b", {}, word), h("span", { class: "quiet-text" }, hint));
  }

  #select(option) {
    for (const each of this.list.children) each.setAttribute("aria-selected", String(each === option));
    this.field.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  #take(option) {
    const end = this.field.selectionStart;
    const found = WORD.exec(this.field.value.slice(0, end));
    const start = end - found[3].length - 1;
    this.field.setRangeText(`${option.dataset.word} `, start, end, "end");
    this.field.focus();
    this.#changed();
    this.#close();
  }

  #close() {
    this.list.hidden = true;
    this.field.setAttribute("aria-expanded", "false");
    this.field.removeAttribute("aria-activedescendant");
  }
}

const people = () => {
  const users = [...state.users.values()].sort((one, other) => Number(other.bot) - Number(one.bot));
  const everyone = ["channel", "here"].map((word) => ({ word: `@${word}`, hint: "notifies everyone here" }));
  return [...users.map((user) => ({ word: `@${user.name}`, hint: user.full })), ...everyone];
};
const channels = () => [...state.channels.values()].filter((each) => each.kind !== "im")
  .map((each) => ({ word: `#${each.name}`, hint: "" }));
const commands = () => state.about.commands.map(([word, hint]) => ({ word, hint }));
