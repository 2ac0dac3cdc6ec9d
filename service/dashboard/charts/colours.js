// The page's colours for what is drawn on a canvas.

import { signal } from "../vendor/preact.js";

const scheme = matchMedia("(prefers-color-scheme: dark)");

/** Whether the page is dark: a canvas is drawn anew when that changes. */
export const isDark = signal(scheme.matches);
scheme.addEventListener("change", () => {
  isDark.value = scheme.matches;
});

const LINES = 8;

/** The value of a role in style.css, such as "--grid". */
export const colour = (role) => getComputedStyle(document.documentElement).getPropertyValue(role).trim();

/** The colour of the line with this index; they repeat. */
export const lineColour = (index) => colour(`--line-${(index % LINES) + 1}`);
