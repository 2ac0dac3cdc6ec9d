// What the browser's tab tells of the job whose page it shows: its state before the title, and an icon.

import { percent } from "../text/format.js";

const SIGNS = new Map(Object.entries({ succeeded: "✓", failed: "✗" }));
// The colours of both schemes of the page do not follow the browser's own.
const COLOURS = new Map(Object.entries({ running: "#3d74e8", succeeded: "#23915a", failed: "#d0382e" }));
const PATHS = new Map(Object.entries({ succeeded: "M9 17l5 5 9-11", failed: "M11 11l10 10M21 11l-10 10" }));
const LENGTH = 2 * Math.PI * 12;

let drawn = null;
let ownIcon = null;

/** Shows a title with the state of a job; only the title for one that is not known. */
export function showInTab(title, job) {
  document.title = [job && signOf(job), `${title} – Trainyard`].filter(Boolean).join(" ");
  const colour = COLOURS.get(job?.state);
  setIcon(colour ? iconOf(job, colour) : null);
}

/** Shows the page's own icon again; the next page sets its title. */
export const resetTab = () => setIcon(null);

function signOf(job) {
  if (job.state === "running") return percent(job.progress.fraction);
  return SIGNS.get(job.state) ?? `${job.state} ·`;
}

function iconOf(job, colour) {
  const body = job.state === "running" ? ringOf(job.progress.fraction, colour) : discOf(job.state, colour);
  const image = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">${body}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(image)}`;
}

function ringOf(fraction, colour) {
  const length = (Math.min(Math.max(Number(fraction) || 0, 0.02), 1) * LENGTH).toFixed(1);
  const ring = `cx="16" cy="16" r="12" fill="none" stroke-width="7"`;
  return (
    `<circle ${ring} stroke="#8b98ad" stroke-opacity="0.45"/>` +
    `<circle ${ring} stroke="${colour}" stroke-dasharray="${length} 99" transform="rotate(-90 16 16)"/>`
  );
}

const discOf = (state, colour) =>
  `<circle cx="16" cy="16" r="15" fill="${colour}"/>` +
  `<path d="${PATHS.get(state)}" fill="none" stroke="#fff" stroke-width="4" stroke-linecap="round" stroke-linejoin="round"/>`;

function setIcon(address) {
  if (address === drawn) return;
  /** @type {HTMLLinkElement} */
  const link = document.querySelector('link[rel="icon"]');
  ownIcon ??= link.href;
  link.href = address ?? ownIcon;
  drawn = address;
}
