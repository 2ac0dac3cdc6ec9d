// A submission as a text to paste: for curl, the command line, Python.

/** A text in single quotes for a POSIX shell. */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

export function asCurl(server, draft) {
  return [
    `curl ${new URL("jobs", server)} \\`,
    "  -H 'Content-Type: application/json' \\",
    `  -d ${quoted(JSON.stringify(draft))}`,
  ].join("\n");
}

export function asCommand(server, draft) {
  return `printf %s ${quoted(JSON.stringify(draft))} | trainyard submit - --server ${server}`;
}

export function asPython(server, draft) {
  return [
    "from service.client import TrainyardClient",
    "",
    `with TrainyardClient(${JSON.stringify(server)}) as client:`,
    `    job = client.submit(${pythonOf(draft)})`,
    "    print(job.id)",
    "",
  ].join("\n");
}

/** A value of JSON as Python writes it. */
export function pythonOf(value) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(pythonOf).join(", ")}]`;
  if (typeof value === "object") return `{${Object.entries(value).map(([name, each]) => `${JSON.stringify(name)}: ${pythonOf(each)}`).join(", ")}}`;
  return JSON.stringify(value);
}
