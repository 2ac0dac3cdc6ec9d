// The page of one job.

import { useEffect, useRef } from "../../vendor/preact.js";
import { html } from "../../parts/html.js";
import { announce } from "../../state/announcer.js";
import { JobView } from "./job.js";

export function JobPage({ id }) {
  const place = useRef(null);
  useEffect(() => {
    const view = new JobView(id, announce);
    place.current.replaceChildren(view.root);
    view.start();
    const timer = setInterval(() => document.hidden || view.tick(), 1_000);
    return () => {
      clearInterval(timer);
      view.stop();
    };
  }, [id]);
  return html`<div ref=${place}></div>`;
}
