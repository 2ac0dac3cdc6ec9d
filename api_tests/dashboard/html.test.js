// Templates: texts of users are shown without what would change the text around them.

import assert from "node:assert/strict";
import { test } from "node:test";

const { html } = await import("../../service/dashboard/parts/html.js");

const texts = (element) => [element.props.children].flat(Infinity);

test("control characters in a text, in a list and in a title are escapes", () => {
  const name = "a\u202eb\u0007";
  const shown = "a\\u202eb\\u0007";
  assert.deepEqual(texts(html`<p>${name}</p>`), [shown]);
  assert.deepEqual(texts(html`<p>${[name, [name]]}</p>`), [shown, shown]);
  assert.equal(html`<img alt=${name} title=${name} />`.props.alt, shown);
  assert.equal(html`<img src=${name} />`.props.src, name);
});

test("a component is given texts as they are, and what it draws has them escaped once", () => {
  const Quoted = ({ text, children }) => html`<q>${text}${children}</q>`;
  const element = html`<${Quoted} text=${"\u0007"}>${"\u0001"}<//>`;
  assert.equal(element.props.text, "\u0007");
  assert.deepEqual(texts(Quoted(element.props)), ["\\u0007", "\\u0001"]);
});

test("markup in a text is text", () => {
  assert.deepEqual(texts(html`<p>${"<b>&amp;</b>"}</p>`), ["<b>&amp;</b>"]);
});
