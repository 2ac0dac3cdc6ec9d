// Shows the page of the current URL, the workers, the connection banner, and updates ages.

import { access } from "./api.js";
import { setText } from "./dom.js";
import { sendTokenWithDownloads } from "./download.js";
import { timeOfDay } from "./format.js";
import { JobPage } from "./job.js";
import { JobsPage } from "./jobs.js";
import { connection } from "./poll.js";
import { TokenDialog } from "./token.js";
import { WorkersStrip } from "./workers.js";

const view = document.querySelector("#view");
const banner = document.querySelector("#banner");
const announcer = document.querySelector("#announcer");

const announce = (text) => setText(announcer, text);
const list = new JobsPage(announce);
let page = null;
let listScroll = 0;

/** The page of a URL fragment such as "#/jobs/job_1" or "#/jobs?state=running". */
function pageFor(hash) {
  const [path, query] = hash.replace(/^#/, "").split("?");
  const job = path.match(/^\/jobs\/([^/]+)$/);
  if (job) return new JobPage(decoded(job[1]), announce);
  list.filterBy(new URLSearchParams(query).get("state"));
  return list;
}

/** A part of a URL; what is no escape stands for itself, as in a mistyped "100%". */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function show() {
  if (location.hash === "#view") return;
  const first = page === null;
  if (page === list) listScroll = window.scrollY;
  page?.stop();
  const next = pageFor(location.hash);
  const isSame = next === page;
  page = next;
  if (!isSame) view.replaceChildren(page.root);
  page.start();
  if (first || isSame) return;
  view.focus({ preventScroll: true });
  window.scrollTo(0, page === list ? listScroll : 0);
}

function showConnection() {
  const { lost, reachedAt } = connection;
  banner.classList.toggle("shown", lost);
  const shownSince = reachedAt ? ` The page shows the state of ${timeOfDay(reachedAt)}.` : "";
  if (lost) setText(banner, `Reconnecting… the server does not answer.${shownSince}`);
  else if (!banner.matches(".shown")) setText(banner, "");
}

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  view.focus();
});
window.addEventListener("hashchange", show);
connection.addEventListener("change", showConnection);
sendTokenWithDownloads(document.body);
const tokenDialog = new TokenDialog(document.querySelector("#site"));
access.addEventListener("refused", () => tokenDialog.ask());
setInterval(() => {
  if (document.hidden) return;
  page.tick();
  workers.tick();
}, 1_000);

const workers = new WorkersStrip(document.querySelector("#workers"));
workers.start();
show();
