// What is done with the log that is shown: find a text, follow the end.

import { useRef } from "../../vendor/preact.js";
import { html } from "../../parts/html.js";
import { useKeys } from "../../state/keys.js";
import { count, counted } from "../../text/format.js";

/** `place` is a signal of the current hit and how many there are. */
export function LogTools({ tail, search, place, isFollowed, children }) {
  const box = useRef(null);
  useKeys("Log", [{ key: "/", title: "Find in the log", run: () => box.current.focus() }]);
  const look = (event) => {
    search.look(event.currentTarget.value);
    place.value = search.place;
    if (search.place.count) tail.hold();
  };
  const step = (by) => {
    tail.hold();
    search.step(by);
    place.value = search.place;
  };
  const onKeyDown = (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    step(event.shiftKey ? 1 : -1);
  };
  const { number, count: hits } = place.value;
  return html`
    <div class="log-tools">
      <input ref=${box} type="search" placeholder="Find in the log" aria-label="Find in the log" spellcheck=${false} onInput=${look} onKeyDown=${onKeyDown} />
      <button type="button" class="button" disabled=${!hits} aria-label="Hit before" onClick=${() => step(-1)}>↑</button>
      <button type="button" class="button" disabled=${!hits} aria-label="Hit after" onClick=${() => step(1)}>↓</button>
      <span class="quiet" role="status">${hits ? placeText(number, hits) : ""}</span>
      <label><input type="checkbox" checked=${isFollowed} onChange=${() => (isFollowed ? tail.hold() : tail.follow())} /> Follow</label>
      ${children}
    </div>
  `;
}

const placeText = (number, hits) => (number ? `${count(number)} of ${count(hits)}` : counted(hits, "line", "lines"));
