// Turns one tree into another by changing only what differs, so that an answer can grow in place:
// what the reader has selected, focused or scrolled to stays as it is.

/** Make the children of `now` read like `html`. */
export function morphInto(now, html) {
  const next = document.createElement("template");
  next.innerHTML = html;
  children(now, next.content);
}

/** Make `now` read like the element `next`, which is used up. */
export function morph(now, next) {
  if (now.nodeType !== next.nodeType || now.nodeName !== next.nodeName) {
    now.replaceWith(next);
    return next;
  }
  if (now.nodeType === Node.TEXT_NODE) {
    if (now.data !== next.data) write(now, next.data);
    return now;
  }
  attributes(now, next);
  children(now, next);
  return now;
}

/** Append where the text only grew: a selection inside it survives. */
function write(text, data) {
  if (data.startsWith(text.data)) text.appendData(data.slice(text.data.length));
  else text.data = data;
}

function attributes(now, next) {
  for (const { name } of [...now.attributes]) {
    if (!next.hasAttribute(name)) now.removeAttribute(name);
  }
  for (const { name, value } of next.attributes) {
    if (now.getAttribute(name) === value) continue;
    if (name === "style") now.style.cssText = value; // the policy forbids the attribute, not this
    else now.setAttribute(name, value);
  }
}

function children(now, next) {
  if (now.matches?.("select:not(.menu), textarea")) return; // the reader's own choice
  const wanted = [...next.childNodes];
  wanted.forEach((child, index) => {
    const present = now.childNodes[index];
    if (present) morph(present, child);
    else now.append(child);
  });
  while (now.childNodes.length > wanted.length) now.lastChild.remove();
}
