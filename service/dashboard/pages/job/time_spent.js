// Where the time of a job went: one bar, and each part as a text.

import { el, reconcile, setAttributes, setText } from "../../parts/dom.js";
import { duration } from "../../text/format.js";

const SUFFIX = "_seconds";
const LINES = ["step", "data_wait", "validation", "save", "other"];
const TITLES = new Map(Object.entries({ data_wait: "waiting for data", step: "training", validation: "validating", save: "saving" }));

export class TimeSpent {
  #bar = el("div", { class: "time-bar", role: "img" });
  #legend = el("ul", { class: "legend" });
  #total = el("span", { class: "quiet" });
  #pieces = new Map();
  #items = new Map();

  constructor() {
    const heading = el("h2", {}, "Where the time went");
    this.root = el("section", { class: "time-spent", hidden: true }, heading, this.#bar, this.#legend, this.#total);
  }

  /** Shows the shares of a job's `progress.time_spent`; hidden while none is known. */
  draw(spent) {
    const parts = partsOf(spent ?? {});
    this.root.hidden = parts.length === 0;
    const texts = parts.map(textOf);
    setAttributes(this.#bar, { "aria-label": `Where the time went: ${texts.join(", ")}` });
    reconcile(this.#bar, this.#pieces, parts, {
      key: ({ name }) => name,
      make: ({ line }) => el("span", { "data-line": line }),
      update: (node, { share }) => node.style.setProperty("--part", share),
    });
    reconcile(this.#legend, this.#items, parts, {
      key: ({ name }) => name,
      make: ({ line }) => el("li", { "data-line": line }),
      update: (node, part) => {
        setText(node, textOf(part));
        setAttributes(node, { title: duration(part.seconds) });
      },
    });
    setText(this.#total, `of ${duration(parts.reduce((sum, { seconds }) => sum + seconds, 0))}`);
  }
}

/** The parts that took any time, those that this page knows first. */
function partsOf(spent) {
  const named = Object.entries(spent).map(([name, seconds]) => [name.replace(SUFFIX, ""), seconds]);
  const total = named.reduce((sum, [, seconds]) => sum + seconds, 0);
  const place = (name) => (LINES.includes(name) ? LINES.indexOf(name) : LINES.length - 1);
  return named
    .filter(([, seconds]) => seconds > 0)
    .map(([name, seconds]) => ({ name, seconds, share: seconds / total, line: place(name) + 1 }))
    .sort((one, other) => one.line - other.line);
}

function textOf({ name, share }) {
  const title = TITLES.get(name) ?? name.replaceAll("_", " ");
  return `${title} ${share < 0.005 ? "below 1" : Math.round(share * 100)} %`;
}
