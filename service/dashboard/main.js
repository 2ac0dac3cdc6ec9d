// Starts the page.

import { render } from "./vendor/preact.js";
import { html } from "./parts/html.js";
import { App } from "./shell/app.js";
import { sendTokenWithDownloads } from "./shell/download.js";

sendTokenWithDownloads(document.body);
render(html`<${App} />`, document.querySelector("#app"));
