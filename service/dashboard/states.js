// The states of jobs, attempts and workers: how each looks, and which are ends.

import { el, setAttributes, setText } from "./dom.js";

const STATE_TONES = {
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
};

/** A state's badge: a dot for the eye, a word for everyone. */
export function badge(state) {
  const node = el("span", { class: "badge" });
  setBadge(node, state);
  return node;
}

export function setBadge(node, state) {
  setAttributes(node, { "data-tone": STATE_TONES[state] ?? "quiet", "data-state": state });
  setText(node, state);
}

const ENDED = new Set(["succeeded", "failed", "cancelled"]);

export const isEnded = (job) => ENDED.has(job.state);

/** A progress bar that screen readers can read; its fill is a transform: no layout. */
export function bar(label) {
  return el(
    "div",
    { class: "bar", role: "progressbar", "aria-label": label, "aria-valuemin": 0, "aria-valuemax": 100 },
    el("span"),
  );
}

export function setBar(node, fraction, state) {
  const part = Math.min(Math.max(fraction || 0, 0), 1);
  const tone = STATE_TONES[state] ?? "quiet";
  setAttributes(node, { "aria-valuenow": Math.floor(part * 100), "data-tone": tone });
  node.style.setProperty("--part", part);
}
