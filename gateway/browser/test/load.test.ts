import assert from "node:assert/strict";
import { test } from "node:test";
import type { Engine, Hooks } from "../src/engine.js";
import type { Entity } from "../src/entities.js";
import { load } from "../src/load.js";
import type { Store } from "../src/store.js";
import { type Effects, createView } from "../src/view.js";
import { joined } from "./vectors.js";

const card = (id: string, rev: number): Entity => ({
  id, kind: "card", rev, createdRev: 1, columnId: "k1", position: "a0", title: "t" + rev, liked: false, likes: 0,
});
const hung = (id: string, kind: string, parent: "cardId" | "checklistId", of: string): Entity => ({
  id, kind, rev: 2, createdRev: 2, [parent]: of,
});

test("what was deleted while a load was under way does not come back with it; older states are ignored", async () => {
  const view = createView("ann", false), hooks = new Set<Hooks>();
  const tell = ({ confirmed }: Effects) => hooks.forEach((h) => h.confirmed?.(confirmed));
  const engine = { view, hooks, send: () => true, apply: tell } as unknown as Engine;
  joined(view, "ann", [card("held", 5), card("c1", 3)], 5);
  const page = load({ engine } as Store, { archive: true });

  const deleted = (id: string, kind: string) => view.sync({ type: "sync", rev: 6, entity: { id, kind, rev: 6, deleted: true } });
  tell(deleted("c1", "card"));
  tell(deleted("never-held", "comment"));
  const entities = [
    card("held", 4), card("c1", 3), hung("list", "checklist", "cardId", "c1"), hung("item", "item", "checklistId", "list"),
    hung("never-held", "comment", "cardId", "held"), hung("kept", "comment", "cardId", "held"), card("archived", 2),
  ];
  for (const h of [...hooks]) h.loaded?.({ type: "loaded", id: 1, rev: 5, entities, before: null });

  const { entities: there, ...more } = await page;
  assert.deepEqual(there.map((e) => e.id), ["held", "kept", "archived"]);
  assert.deepEqual(more, { before: null });
  assert.deepEqual([...view.all()].map((e) => e.id).sort(), ["archived", "held", "kept"]);
  assert.equal(view.get("held")?.["title"], "t5");
  assert.equal(hooks.size, 0);
});
