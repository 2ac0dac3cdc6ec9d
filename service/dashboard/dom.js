// Building and changing the page. Text goes in as text nodes: nothing here parses HTML.

/** An element; `props` are attributes (true is bare, null and false are left out). */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  setAttributes(node, props);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export function setAttributes(node, props) {
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === null || value === undefined || value === false) node.removeAttribute(name);
    else if (value === true) node.setAttribute(name, "");
    else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
  }
}

/** Sets text only where it differs, so that selections and screen readers are left in peace. */
export function setText(node, text) {
  const wanted = String(text ?? "");
  if (node.textContent !== wanted) node.textContent = wanted;
}

/** Makes `parent` hold one node per item, in order. Nodes whose key stays are kept, not rebuilt. */
export function reconcile(parent, nodes, items, { key, make, update }) {
  const wanted = new Set(items.map(key));
  for (const [id, node] of nodes) {
    if (wanted.has(id)) continue;
    node.remove();
    nodes.delete(id);
  }
  let here = parent.firstElementChild;
  for (const item of items) {
    const id = key(item);
    let node = nodes.get(id);
    if (!node) {
      node = make(item);
      nodes.set(id, node);
    }
    update(node, item);
    if (node === here) here = here.nextElementSibling;
    else parent.insertBefore(node, here);
  }
}
