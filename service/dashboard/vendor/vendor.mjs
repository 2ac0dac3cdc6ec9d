// Writes the libraries of the dashboard from the npm packages that package.json pins:
// npm install && npm run vendor. It writes vendored.json and licences.txt beside them.

import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));
const PACKAGES = join(HERE, "../../../node_modules");
const FOLDER = process.argv[2] ?? HERE;

// Preact's hooks and signals change its options object: all of them must be one module.
const PREACT = `
export * from "preact";
export * from "preact/hooks";
export * from "@preact/signals";
export { default as htm } from "htm";
`;
const UPLOT = `export { default } from "uplot";`;

const FILES = [
  {
    name: "preact.js",
    source: PREACT,
    packages: ["preact", "@preact/signals", "@preact/signals-core", "htm"],
  },
  { name: "uplot.js", source: UPLOT, packages: ["uplot"] },
  { name: "uplot.css", copy: "uplot/dist/uPlot.min.css", packages: ["uplot"] },
];

async function contentOf({ source, copy }) {
  if (copy) return readFile(join(PACKAGES, copy));
  const result = await build({
    stdin: { contents: source, resolveDir: PACKAGES },
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    legalComments: "none",
    write: false,
  });
  return Buffer.from(result.outputFiles[0].contents);
}

async function describe(name) {
  const { version, license } = JSON.parse(await readFile(join(PACKAGES, name, "package.json"), "utf8"));
  return { name, version, license };
}

await mkdir(FOLDER, { recursive: true });
const entries = [];
for (const file of FILES) {
  const content = await contentOf(file);
  await writeFile(join(FOLDER, file.name), content);
  entries.push({
    file: file.name,
    sha256: createHash("sha256").update(content).digest("hex"),
    packages: await Promise.all(file.packages.map(describe)),
  });
}
await writeFile(join(FOLDER, "vendored.json"), `${JSON.stringify(entries, null, 2)}\n`);

const names = [...new Set(FILES.flatMap(({ packages }) => packages))].sort();
const licences = await Promise.all(
  names.map(async (name) => `${name}\n\n${(await readFile(join(PACKAGES, name, "LICENSE"), "utf8")).trim()}\n`),
);
await writeFile(join(FOLDER, "licences.txt"), licences.join(`\n${"-".repeat(80)}\n\n`));
