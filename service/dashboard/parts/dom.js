// Creates and updates elements. Text is always set as text nodes and never parsed as HTML.

import { visible } from "../text/user_text.js";

const TEXTS = new Set(["title", "alt", "aria-label"]);

/** Creates an element; in `props`, true sets an empty attribute, null and false set none. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  setAttributes(node, props);
  const present = children.filter((child) => child !== null && child !== undefined);
  node.append(...present.map((child) => (child instanceof Node ? child : visible(String(child)))));
  return node;
}

export function setAttributes(node, props) {
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === null || value === undefined || value === false) node.removeAttribute(name);
    else if (value === true) node.setAttribute(name, "");
    else setAttribute(node, name, TEXTS.has(name) ? visible(String(value)) : String(value));
  }
}

function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/** Sets a text that differs, so that an equal one disturbs no selection and no screen reader. */
export function setText(node, text) {
  const value = visible(String(text ?? ""));
  if (node.textContent !== value) node.textContent = value;
}
