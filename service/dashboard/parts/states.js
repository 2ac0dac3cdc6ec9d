// The states of jobs, attempts and workers: their colours, and which job states are final.

import { el, setAttributes, setText } from "./dom.js";

const STATE_TONES = new Map(Object.entries({
  queued: "waiting",
  claimed: "waiting",
  paused: "waiting",
  running: "active",
  pausing: "active",
  cancelling: "active",
  succeeded: "good",
  failed: "bad",
  lost: "bad",
  unreachable: "warn",
  quarantined: "warn",
  damaged: "bad",
}));

/** The tone of a state; an unknown one, of a newer server, is quiet. */
export const toneOf = (state) => STATE_TONES.get(state) ?? "quiet";

/** A badge with the state as a coloured dot and as a text. */
export function badge(state) {
  const node = el("span", { class: "badge" });
  setBadge(node, state);
  return node;
}

export function setBadge(node, state) {
  setAttributes(node, { "data-tone": toneOf(state), "data-state": state });
  setText(node, state);
}

const ENDED = new Set(["succeeded", "failed", "cancelled"]);

export const isEnded = (job) => ENDED.has(job.state);

/** A progress bar with ARIA attributes; its fill is a CSS transform, which needs no layout. */
export function bar(label) {
  return el(
    "div",
    { class: "bar", role: "progressbar", "aria-label": label, "aria-valuemin": 0, "aria-valuemax": 100 },
    el("span"),
  );
}

export function setBar(node, fraction, state) {
  const part = Math.min(Math.max(fraction || 0, 0), 1);
  const tone = toneOf(state);
  setAttributes(node, { "aria-valuenow": Math.floor(part * 100), "data-tone": tone });
  node.style.setProperty("--part", part);
}
