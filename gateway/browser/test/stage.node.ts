// A stage in a Node process: one JSON line in for each call, one out for its result.

import { createInterface } from "node:readline";
import * as stage from "./stage.js";

interface Call {
  readonly id: number;
  readonly name: keyof typeof stage;
  readonly args: readonly never[];
}

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const { id, name, args } = JSON.parse(line) as Call;
    const fn = stage[name] as (...args: readonly never[]) => unknown;
    void (async () => fn(...args))()
      .then((result) => ({ id, result }), (e: unknown) => ({ id, error: e instanceof Error ? e.stack : String(e) }))
      .then((answer) => process.stdout.write(JSON.stringify(answer) + "\n"));
  })
  .on("close", () => process.exit());
