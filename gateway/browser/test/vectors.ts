// The golden vectors, which the Go client reads as well, and what tests of the view share.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Change, Entity, Patch } from "../src/entities.js";
import type { Hello, ServerFrame } from "../src/frames.js";
import type { Effects, View } from "../src/view.js";

/** Reads a file of gateway/wire/testdata, wherever below gateway the tests run. */
export function vectors<T>(name: string): T {
  for (let dir = process.cwd(); ; dir = dirname(dir)) {
    for (const part of ["wire/testdata", "gateway/wire/testdata"]) {
      const path = join(dir, part, name);
      if (existsSync(path)) return JSON.parse(readFileSync(path, "utf8")) as T;
    }
    if (dir === dirname(dir)) throw new Error("no golden vectors " + name);
  }
}

/** A mutation of the vectors. */
export interface MadeHere {
  readonly clientMutationId: string;
  readonly entityId?: string;
  readonly patch?: Patch | null;
  readonly changes?: readonly Change[];
}

export const listed = (m: MadeHere): readonly Change[] => m.changes ?? [{ entityId: m.entityId!, patch: m.patch! }];

export const none: Effects = { changed: [], verdicts: [], confirmed: [] };

/** Gives a frame to the view, as the engine does. */
export function feed(view: View, frame: ServerFrame): Effects {
  switch (frame.type) {
    case "hello": return view.hello(frame);
    case "sync": return view.sync(frame);
    case "ready": return view.ready(frame.rev);
    case "ack": return view.ack(frame);
    case "nack": return view.nack(frame);
    case "lag":
      view.lag();
      return none;
    default: throw new Error("no input of a view: " + frame.type);
  }
}

export const hello = (user: string, resumed = false, epoch = "e"): Hello => ({
  type: "hello", protocol: 1, board: "b", user, role: "editor", session: "s", epoch, rev: 1, resumed,
  serverTime: "2026-03-01T10:04:05.678Z", limits: { frameBytes: 262144, inFlight: 256, ackTimeoutMs: 5000 },
});

/** A fresh join that sends the entities. */
export function joined(view: View, user: string, entities: readonly Entity[], rev = 1): Effects {
  feed(view, hello(user));
  for (const entity of entities) view.sync({ type: "sync", rev, entity });
  return view.ready(rev);
}

/** Numbers that only look like chance. */
export interface Chance {
  /** A whole number from 0 on, below n. */
  below(n: number): number;
  of<T>(list: readonly T[]): T;
}

/** mulberry32 */
export function chance(seed: number): Chance {
  const below = (n: number) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
  return { below, of: (list) => list[below(list.length)]! };
}
