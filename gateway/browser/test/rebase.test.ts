import assert from "node:assert/strict";
import { test } from "node:test";
import type { Change, Entity } from "../src/entities.js";
import { type Effects, createView, type View } from "../src/view.js";
import { face } from "./naive.js";
import { joined, vectors } from "./vectors.js";

type Step = readonly [name: string, to: number, syncs?: readonly number[]];

interface Shape {
  readonly name: string;
  readonly rollbackOnSilence: boolean;
  readonly confirmed: readonly number[];
  readonly mutations: readonly { readonly clientMutationId: string; readonly changes: readonly Change[] }[];
  readonly entities: readonly Entity[];
  readonly states: readonly { readonly shows: readonly number[]; readonly steps: readonly Step[] }[];
}

const { user, shapes } = vectors<{ user: string; shapes: readonly Shape[] }>("rebase.json");
assert.ok(shapes.length >= 8);

/** Every path on which nobody falls silent and no neighbour comes between, and every step of the others. */
function paths({ states }: Shape): Step[][] {
  const seen = new Set<Step>(), out: Step[][] = [];
  const walk = (at: number, path: Step[], plain: boolean) => {
    let end = true;
    for (const step of states[at]!.steps) {
      const stays = plain && !/^[qb]/.test(step[0]);
      if (!stays && seen.has(step)) continue;
      seen.add(step);
      end = false;
      walk(step[1], [...path, step], stays);
    }
    if (end) out.push(path);
  };
  walk(0, [], true);
  return out;
}

function take(view: View, shape: Shape, [name, , syncs = []]: Step, nextRev: () => number): Effects {
  const id = "m" + name[1];
  switch (name[0]) {
    case "m": return view.mutate(id, shape.mutations[Number(name[1]) - 1]!.changes);
    case "a": return view.ack({ type: "ack", clientMutationId: id, rev: 1, events: 1 });
    case "n": return view.nack({ clientMutationId: id, code: "wip_limit", reason: "" });
    case "w": return view.nack({ clientMutationId: id, code: "withdrawn", reason: "" });
    case "q": return view.silence(id);
  }
  assert.match(name, /^[sb]/);
  return syncs.map((n, i) => {
    const rev = nextRev();
    return view.sync({ type: "sync", rev, entity: { ...shape.entities[n]!, rev }, more: i < syncs.length - 1 });
  }).at(-1)!;
}

for (const shape of shapes) {
  test(`three in flight: ${shape.name}`, () => {
    const faces = shape.entities.map(face);
    const shows = (state: number) => new Map(shape.states[state]!.shows.map((n) => [shape.entities[n]!.id, faces[n]!]));
    const all = paths(shape);
    assert.ok(all.length > 100);
    for (const path of all) {
      const view = createView(user, shape.rollbackOnSilence);
      let rev = 1, at = 0, told = "";
      joined(view, user, shape.confirmed.map((n) => ({ ...shape.entities[n]!, rev })));
      for (const step of path) {
        told += " " + step[0];
        const before = shows(at), after = shows(step[1]), identity = new Map([...view.all()].map((e) => [e.id, e]));
        const { changed } = take(view, shape, step, () => ++rev);
        const ids = new Set([...before.keys(), ...after.keys()]);
        assert.deepEqual(changed.map((c) => c.id), [...ids].filter((id) => before.get(id) !== after.get(id)).sort(), told);
        assert.deepEqual(new Map([...view.all()].map((e) => [e.id, face(e)])), after, told);
        for (const [id, e] of identity) assert.ok(view.get(id) === e || before.get(id) !== after.get(id), `${told}: ${id} lost its identity`);
        at = step[1];
      }
    }
  });
}
