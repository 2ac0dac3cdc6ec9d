// Links to files that the server keeps, with their sizes and digests.

import { bytes } from "../text/format.js";
import { html } from "./html.js";

/** `files` are pairs of a name and its `{bytes, sha256}`; `hrefOf(name)` is where it is. */
export function Files({ files, hrefOf }) {
  return html`
    <ul class="files">
      ${files.map(
        ([name, digest]) => html`
          <li key=${name}>
            <a href=${hrefOf(name)} download=${name}>${name}</a>${" "}
            <span class="file-note">${bytes(digest.bytes)} <code title=${`sha256 ${digest.sha256}`}>${digest.sha256.slice(0, 10)}</code></span>
          </li>
        `,
      )}
    </ul>
  `;
}
