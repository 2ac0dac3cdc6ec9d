// Checkpoints in words.

import { count } from "./format.js";

/** What a checkpoint is called, in a sentence too: "step 1,200", "final weights, step 1,200". */
export const stepTitle = ({ phase, step }) => `${phase === "final" ? "final weights, " : ""}step ${count(step)}`;

/** Whether its folder is there, as far as the server knows. */
export const isRetained = ({ state }) => state === "published" || state === "damaged";

/** An id that is cut to its end, which differs between ids of one time. */
export const shortId = (id) => (id.length > 10 ? `…${id.slice(-6)}` : id);
