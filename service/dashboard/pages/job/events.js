// What happened to a job, the newest first.

import { useEffect, useMemo, useSignal } from "../../vendor/preact.js";
import { jobPath, Resource } from "../../api/client.js";
import { Poller } from "../../api/poll.js";
import { At } from "../../parts/ago.js";
import { CsvLink } from "../../parts/csv_link.js";
import { html } from "../../parts/html.js";
import { Problem } from "../../parts/problem.js";
import { words } from "../../text/format.js";

const POLL_MS = 10_000;
const SHOWN = 200;

export function Events({ job }) {
  const { events, error } = useEvents(job);
  const newest = [...events].reverse().slice(0, SHOWN);
  return html`
    <section class="panel history">
      <div class="panel-head"><h2>Events</h2><${CsvLink} of="Events" path=${`exports/${jobPath(job.id)}/events.csv`} name=${`${job.id}-events.csv`} /></div>
      <${Problem} of="Events" error=${error} />
      ${newest.length ? html`<ol class="events" tabindex="0" aria-label="Events">${newest.map(eventLine)}</ol>` : html`<p class="quiet">No events yet.</p>`}
    </section>
  `;
}

const eventLine = ({ number, created_at: at, kind, message }) => html`
  <li key=${number}>
    <${At} at=${at} />
    <span class="tag">${words(kind)}</span>
    <span>${message}</span>
  </li>
`;

/** All events of a job, oldest first; each poll asks only for those after the last known one. */
function useEvents(job) {
  const state = useSignal({ events: [], error: null });
  const poller = useMemo(() => {
    const read = async (signal) => {
      let known = state.peek().events;
      let hasMore = true;
      while (hasMore) {
        const page = new Resource(`${jobPath(job.id)}/events?after=${known.at(-1)?.number ?? 0}`);
        await page.read(signal);
        known = [...known, ...page.value.data];
        hasMore = page.value.has_more === true && page.value.data.length > 0;
      }
      if (known.length > state.peek().events.length || state.peek().error) state.value = { events: known, error: null };
    };
    return new Poller(read, POLL_MS, (error) => {
      state.value = { ...state.peek(), error };
    });
  }, [job.id]);
  useEffect(() => {
    poller.start();
    return () => poller.stop();
  }, [poller]);
  useEffect(() => poller.now(), [job.version]);
  return state.value;
}
