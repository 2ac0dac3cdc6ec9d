// The end of a list that goes on: what comes next is loaded when the end comes into sight.

import { useEffect, useRef } from "../vendor/preact.js";
import { html } from "./html.js";

// Loaded a screen ahead, so that nobody who scrolls waits.
const AHEAD = "600px";

/** `count` is how many items there are: when it has changed, the end is looked for again. */
export function LoadMore({ count, more }) {
  const button = useRef(null);
  useEffect(() => {
    const observer = new IntersectionObserver(([entry]) => entry.isIntersecting && more(), { rootMargin: AHEAD });
    observer.observe(button.current);
    return () => observer.disconnect();
  }, [count]);
  return html`<button type="button" class="button more" ref=${button} onClick=${more}>Load more</button>`;
}
