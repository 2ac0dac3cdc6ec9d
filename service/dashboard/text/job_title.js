// What a job is called.

import { isBlank, visible } from "./user_text.js";

/** Whether a job does not retry its parent, but has what that search has found. */
export const isFound = (job) => Boolean(job?.parent_job_id) && job.spec?.search === job.parent_job_id;

/** The job's name, or its id if it has no visible one. */
export const titleOf = (job) => (isBlank(job.name) ? job.id : visible(job.name));
