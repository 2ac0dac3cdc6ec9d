// The answers of the server by name, from the types that `make check` writes of its OpenAPI document.

import type { components } from "../../../build/openapi";

type Schemas = components["schemas"];

export type Attempt = Schemas["Attempt"];
export type Checkpoint = Schemas["Checkpoint"];
export type CheckpointUse = Schemas["CheckpointUse"];
export type DatasetInfo = Schemas["DatasetInfo"];
export type Event = Schemas["Event"];
export type Hint = Schemas["Hint"];
export type Job = Schemas["Job"];
export type JobAction = Schemas["JobAction"];
export type JobLineage = Schemas["JobLineage"];
export type Lineage = Schemas["Lineage"];
export type LineageEntry = Schemas["LineageEntry"];
export type Problem = Schemas["Problem"];
export type Session = Schemas["SessionView"];
export type Sweep = Schemas["Sweep"];
export type Trial = Schemas["Trial"];
export type Worker = Schemas["Worker"];

export type Candidate = Schemas["Candidate"];
export type SearchSpace = Schemas["SearchSpace"];
export type SearchSummary = Schemas["SearchSummary"];

/** A recipe as `GET /recipes` has it. */
export type ShownRecipe = {
  name: string;
  description: string;
  variants: string[];
  sizes: Record<string, Schemas["NetworkSize"]>;
  search_space?: SearchSpace | null;
  search_spaces?: SearchSpace[];
  path_recipe?: string | null;
  schema: { properties?: Record<string, any> };
  workers: number;
};
export type WorkerDetail = Schemas["WorkerDetail"];
