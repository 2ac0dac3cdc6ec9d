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

export type Fitness = { blocks: string; top1_error: number; top5_error: number; loss: number | null };
export type Candidate = Fitness & { order: number; generation: number; origin: string; multiply_adds: number };
export type SearchSummary = {
  job_id: string;
  recipe: string | null;
  fitness: "error" | "loss";
  macs_limit: number;
  macs_image_size: number;
  least_multiply_adds: number | null;
  most_multiply_adds: number | null;
  places: number;
  choices: number;
  evaluated: number;
  total: number;
  best: Candidate | null;
  front: Candidate[];
  generations: { number: number; evaluated: number; best: number | null; median: number | null }[];
  parents: Candidate[];
  heat: number[][];
};

/** A recipe as `GET /recipes` has it. */
export type ShownRecipe = {
  name: string;
  description: string;
  variants: string[];
  sizes: Record<string, Schemas["NetworkSize"]>;
  search_space?: Schemas["SearchSpace"] | null;
  path_recipe?: string | null;
  schema: { properties?: Record<string, any> };
  workers: number;
};
export type WorkerDetail = Schemas["WorkerDetail"];
