// The page of all jobs.

import { useEffect, useRef } from "../../vendor/preact.js";
import { html } from "../../parts/html.js";
import { announce } from "../../state/announcer.js";
import { JobsList } from "./jobs.js";

const list = new JobsList(announce);

export function JobsPage({ query }) {
  const place = useRef(null);
  const state = query.get("state");
  useEffect(() => {
    list.filterBy(state);
    place.current.replaceChildren(list.root);
    list.start();
    const timer = setInterval(() => document.hidden || list.tick(), 1_000);
    return () => {
      clearInterval(timer);
      list.stop();
    };
  }, [state]);
  return html`<div ref=${place}></div>`;
}
