// What a job is called.

import { isBlank, visible } from "./user_text.js";

/** The job's name, or its id if it has no visible one. */
export const titleOf = (job) => (isBlank(job.name) ? job.id : visible(job.name));
