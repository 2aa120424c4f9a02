import assert from "node:assert/strict";
import { test } from "node:test";
import type { Entity } from "../src/entities.js";
import type { ServerFrame } from "../src/frames.js";
import { keyBetween } from "../src/key.js";
import { alike, same } from "../src/patch.js";
import { type Effects, createView } from "../src/view.js";
import { feed, joined, listed, type MadeHere, none, vectors } from "./vectors.js";

interface Case {
  readonly name: string;
  readonly user: string;
  readonly confirmed: readonly Entity[] | null;
  readonly pending: readonly MadeHere[];
  readonly view: readonly Entity[];
  readonly order?: readonly { readonly kind: string; readonly parent: string; readonly ids: readonly string[] }[];
}

const applied = ["fields", "likes", "life", "mutations", "places"];

const byId = (list: Iterable<Entity>) => new Map([...list].map((e) => [e.id, e]));

for (const part of applied) {
  const { cases } = vectors<{ cases: readonly Case[] }>(`apply-${part}.json`);
  assert.ok(cases.length >= 5);
  for (const c of cases) {
    test(`apply, ${part}: ${c.name}`, () => {
      const view = createView(c.user, false);
      joined(view, c.user, c.confirmed ?? []);
      const before = byId(view.all());
      for (const m of c.pending) view.mutate(m.clientMutationId, listed(m));
      assert.deepEqual(byId(view.all()), byId(c.view));
      for (const { kind, parent, ids } of c.order ?? []) {
        assert.deepEqual(view.children(parent, kind).map((e) => e.id), ids, `order under ${parent}`);
      }
      for (const m of c.pending) view.nack({ clientMutationId: m.clientMutationId, code: "lab", reason: "" });
      for (const e of view.all()) assert.ok(alike(e, before.get(e.id)));
      assert.equal([...view.all()].length, before.size);
    });
  }
}

test("keys between keys", () => {
  type Pair = { a: string | null; b: string | null; key: string };
  const { between, refused } = vectors<{ between: Pair[]; refused: Pair[] }>("positions.json");
  assert.ok(between.length >= 400 && refused.length >= 5);
  for (const { a, b, key } of between) assert.equal(keyBetween(a ?? "", b ?? ""), key, `${a} ${b}`);
  for (const { a, b } of refused) assert.equal(keyBetween(a ?? "", b ?? ""), undefined, `${a} ${b}`);
});

interface Script {
  readonly name: string;
  readonly rollbackOnSilence?: boolean;
  readonly steps: readonly {
    readonly in?: ServerFrame;
    readonly mutate?: MadeHere;
    readonly silence?: string;
    readonly disconnected?: boolean;
    readonly changed?: readonly string[];
    readonly shows?: { readonly [id: string]: { readonly [field: string]: unknown } | null };
  }[];
}

{
  const { user, scripts } = vectors<{ user: string; scripts: readonly Script[] }>("scripts.json");
  assert.ok(scripts.length >= 15);
  for (const script of scripts) {
    test(`script: ${script.name}`, () => {
      const view = createView(user, script.rollbackOnSilence ?? false);
      script.steps.forEach((step, i) => {
        const before = byId(view.all());
        let effects: Effects = none;
        if (step.in) effects = feed(view, step.in);
        else if (step.mutate) effects = view.mutate(step.mutate.clientMutationId, listed(step.mutate));
        else if (step.silence) effects = view.silence(step.silence);
        else view.disconnected();
        const changed = effects.changed.map((c) => c.id);
        assert.deepEqual(changed, step.changed ?? [], `step ${i}`);
        for (const [id, e] of before) assert.ok(changed.includes(id) || view.get(id) === e, `step ${i}: ${id} lost its identity`);
        for (const [id, fields] of Object.entries(step.shows ?? {})) {
          const e = view.get(id);
          assert.equal(!e, !fields, `step ${i}: ${id}`);
          for (const [name, v] of Object.entries(fields ?? {})) {
            assert.ok(same(e?.[name] ?? null, v), `step ${i}: ${name} of ${id} is ${JSON.stringify(e?.[name])}, not ${JSON.stringify(v)}`);
          }
        }
      });
    });
  }
}
