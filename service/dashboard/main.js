// Starts the page.

import { render } from "./vendor/preact.js";
import { html } from "./parts/html.js";
import { App } from "./shell/app.js";
import { removeOldToken } from "./api/session.js";

removeOldToken();
render(html`<${App} />`, document.querySelector("#app"));
