// The tags of a checkpoint: each leads to all that have it, and they are edited in place.

import { useEffect, useRef, useState } from "../../vendor/preact.js";
import { checkpointPath, send } from "../../api/client.js";
import { useSender } from "../../api/sender.js";
import { lacksRole } from "../../api/session.js";
import { html } from "../../parts/html.js";
import { addressOf } from "../../state/route.js";
import { isRetained, stepTitle } from "../../text/checkpoints.js";

/** `afterwards()` is called when they are changed; `isOthers` if who looks may not change them. */
export function Tags({ checkpoint, isOthers = false, afterwards }) {
  const [isEdited, setEdited] = useState(false);
  const button = useRef(null);
  const close = () => {
    setEdited(false);
    // The keyboard goes on from where it was.
    setTimeout(() => button.current?.focus());
  };
  if (isEdited) return html`<${TagEditor} checkpoint=${checkpoint} afterwards=${afterwards} close=${close} />`;
  const { tags } = checkpoint;
  return html`
    <span class="tags">
      ${tags.map((tag) => html`<a key=${tag} class="tag" href=${addressOf(["checkpoints"], { tag })}>${tag}</a>`)}
      ${isRetained(checkpoint) &&
      !isOthers &&
      !lacksRole("user") &&
      html`
        <button
          type="button"
          class="tool"
          ref=${button}
          onClick=${() => setEdited(true)}
        ><span aria-hidden="true">${tags.length ? "edit" : "+ tag"}</span><span class="unseen">Edit the tags of ${stepTitle(checkpoint)}</span></button>
      `}
    </span>
  `;
}

function TagEditor({ checkpoint, afterwards, close }) {
  const [tags, setTags] = useState([...checkpoint.tags]);
  const [text, setText] = useState("");
  const { run, isSending, problem } = useSender();
  const input = useRef(null);
  useEffect(() => input.current.focus(), []);
  const save = (event) => {
    event.preventDefault();
    const added = text.split(/[\s,]+/).filter(Boolean);
    run(async () => {
      await send("PATCH", checkpointPath(checkpoint.id), { tags: [...new Set([...tags, ...added])] });
      afterwards();
      close();
    });
  };
  const remove = (tag) => {
    setTags(tags.filter((each) => each !== tag));
    input.current.focus();
  };
  const onKeyDown = (event) => {
    if (event.key === "Escape") close();
  };
  return html`
    <form class="tag-editor" onSubmit=${save} onKeyDown=${onKeyDown}>
      ${tags.map(
        (tag) => html`
          <span key=${tag} class="tag">${tag}<button type="button" onClick=${() => remove(tag)}><span aria-hidden="true">×</span><span class="unseen">Remove the tag ${tag}</span></button></span>
        `,
      )}
      <input
        ref=${input}
        type="text"
        value=${text}
        aria-label="New tags"
        placeholder="new tags"
        spellcheck=${false}
        autocomplete="off"
        onInput=${({ target }) => setText(target.value)}
      />
      <button type="submit" class="tool" disabled=${isSending}>Save</button>
      <button type="button" class="tool" onClick=${close}>Cancel</button>
      ${problem && html`<span class="callout" data-tone="bad" role="alert">${problem}</span>`}
    </form>
  `;
}
