// Templates of the page: html`<p>${text}</p>` is a Preact element, and text is never read as HTML.

import { h, htm } from "../vendor/preact.js";
import { visible } from "../text/user_text.js";

const TEXTS = new Set(["title", "alt", "aria-label", "placeholder"]);

/** Control characters of a text are escapes wherever a template puts it, so that no part need do it. */
export const html = htm.bind((type, props, ...children) =>
  typeof type === "string" ? h(type, shownProps(props), ...children.map(shown)) : h(type, props, ...children),
);

function shown(child) {
  if (typeof child === "string") return visible(child);
  return Array.isArray(child) ? child.map(shown) : child;
}

function shownProps(props) {
  if (!props) return props;
  const texts = Object.entries(props).filter(([name, value]) => TEXTS.has(name) && typeof value === "string");
  return texts.length ? { ...props, ...Object.fromEntries(texts.map(([name, value]) => [name, visible(value)])) } : props;
}
