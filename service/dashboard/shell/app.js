// The frame around every page: its head, its navigation, the banner of a lost server.

import { useErrorBoundary, useLayoutEffect, useRef } from "../vendor/preact.js";
import { html } from "../parts/html.js";
import { Lazy } from "../parts/lazy.js";
import { NotThere, pageOf } from "../pages/pages.js";
import { lacksRole, session } from "../api/session.js";
import { announcement } from "../state/announcer.js";
import { Banner } from "./banner.js";
import { BellWatch } from "./bell_watch.js";
import { KeysDialog } from "./keys_dialog.js";
import { Login } from "./login.js";
import { SessionMenu } from "./session_menu.js";
import { UpgradeNotice } from "./upgrade_notice.js";
import { WorkersLine } from "./workers_line.js";
import { route } from "../state/route.js";

export function App() {
  const { segments, query } = route.value;
  const found = pageOf(segments);
  const view = useRef(null);
  useFocusOnNewView(view, segments.join("/"));
  return html`
    <a class="skip" href="#view" onClick=${(event) => focusOn(event, view)}>Skip to the content</a>
    <${Head} current=${found?.page.section} />
    <main id="view" class="wrap" tabindex="-1" ref=${view}>
      <${Boundary} key=${segments.join("/")}>
        ${found ? html`<${Lazy} of="This page" load=${found.page.load} shown=${{ ...found.parameters, query }} />` : html`<${NotThere} />`}
      <//>
    </main>
    <${Banner} />
    <${UpgradeNotice} />
    <${BellWatch} />
    <${Login} />
    <${KeysDialog} />
    <div id="announcer" class="unseen" role="status" aria-live="polite">${announcement.value}</div>
  `;
}

const SECTIONS = [
  { name: "Jobs", section: "jobs", href: "#/jobs" },
  { name: "Checkpoints", section: "checkpoints", href: "#/checkpoints" },
  { name: "Sweeps", section: "sweeps", href: "#/sweeps" },
  { name: "Workers", section: "workers", href: "#/workers" },
  { name: "Submit", section: "submit", href: "#/submit" },
];

/** For admins alone: a receiver's URL may itself be a secret, and the audit list tells of everybody. */
const OF_ADMINS = [
  { name: "Webhooks", section: "webhooks", href: "#/webhooks" },
  { name: "Audit", section: "audit", href: "#/audit" },
];

/** Who may do everything; on a server without tokens everybody. */
const isAdmin = (known) => known !== null && (known.role === "admin" || !(known.needs_login || known.user));

function Head({ current }) {
  const ofRole = SECTIONS.filter(({ section }) => section !== "submit" || !lacksRole("user"));
  const sections = isAdmin(session.value) ? [...ofRole, ...OF_ADMINS] : ofRole;
  const links = sections.map(
    ({ name, section, href }) =>
      html`<a key=${section} href=${href} aria-current=${section === current ? "page" : null}>${name}</a>`,
  );
  return html`
    <header class="masthead">
      <div class="wrap">
        <a class="brand" href="#/jobs"><img src=${ICON} alt="" width="26" height="26" /><span>Trainyard</span></a>
        <${WorkersLine} />
        <nav id="site" aria-label="Site">${links}<a href="guide/">Guide</a><a href="docs">API</a><${SessionMenu} /></nav>
      </div>
    </header>
  `;
}

const ICON = new URL("../icon.svg", import.meta.url).href;

/** What a fault in a page leaves: the frame, and a way to try again. */
function Boundary({ children }) {
  const [error, reset] = useErrorBoundary((fault) => console.error(fault));
  if (!error) return children;
  return html`
    <div class="callout" data-tone="bad" role="alert">
      This page has a fault and cannot be shown: ${error.message}
      <button type="button" class="button" onClick=${reset}>Try again</button>
    </div>
  `;
}

/** Readers of a new view begin at its start; who goes back comes to where they were. */
function useFocusOnNewView(view, address) {
  const scrolls = useRef(new Map());
  const last = useRef(null);
  useLayoutEffect(() => {
    const isFirst = last.current === null;
    last.current = address;
    if (!isFirst) {
      view.current.focus({ preventScroll: true });
      window.scrollTo(0, scrolls.current.get(address) ?? 0);
    }
    const keep = () => scrolls.current.set(address, window.scrollY);
    window.addEventListener("scroll", keep, { passive: true });
    return () => window.removeEventListener("scroll", keep);
  }, [address]);
}

function focusOn(event, view) {
  event.preventDefault();
  view.current.focus();
}
