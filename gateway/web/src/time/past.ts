// A store of the past: what the board's components read of a store, over entities that were. Nothing can be changed in it.

import type { Entity, EntityChange, Kind, Me, Store } from "@snapback/client";

import { compareSiblings, listsOf } from "../../../browser/src/order.js";
import type { Entities } from "./fold.js";

export interface Past {
  readonly store: Store;
  /** What it shows; whoever changes it tells. */
  readonly entities: Entities;
  tell(changes: readonly EntityChange[]): void;
  /** Shows something else altogether, and tells what differs. */
  show(entities: Entities, changes: readonly EntityChange[]): void;
}

type Heard = (changes: readonly EntityChange[]) => void;
type HeardOne = (now: Entity | undefined, before: Entity | undefined) => void;

export function pastOf(board: string, user: string): Past {
  let entities: Entities = new Map();
  const members = new Map<string, Set<string>>();
  const sorted = new Map<string, readonly Entity[]>();
  const all = new Set<Heard>();
  const each = new Map<string, Set<HeardOne>>();

  const list = (key: string): readonly Entity[] => {
    const known = sorted.get(key);
    if (known) return known;
    const now = [...(members.get(key) ?? [])].flatMap((id) => entities.get(id) ?? []).sort(compareSiblings);
    sorted.set(key, now);
    return now;
  };
  const index = ({ id, before, after }: EntityChange) => {
    for (const key of before ? listsOf(before) : []) {
      members.get(key)?.delete(id);
      sorted.delete(key);
    }
    for (const key of after ? listsOf(after) : []) {
      const ids = members.get(key) ?? new Set();
      members.set(key, ids.add(id));
      sorted.delete(key);
    }
  };
  const tell = (changes: readonly EntityChange[]) => {
    if (!changes.length) return;
    changes.forEach(index);
    for (const { id, before, after } of changes) each.get(id)?.forEach((fn) => fn(after, before));
    all.forEach((fn) => fn(changes));
  };

  return {
    get entities() { return entities; },
    tell,
    show(now, changes) {
      entities = now;
      tell(changes);
    },
    store: storeOver({
      get: (id) => entities.get(id),
      list,
      subscribe: (fn) => subscribed(all, fn),
      subscribeOne(id, fn) {
        const fns = each.get(id) ?? new Set();
        each.set(id, fns);
        return subscribed(fns, fn);
      },
    }, board, user),
  };
}

function subscribed<T>(all: Set<T>, fn: T): () => void {
  all.add(fn);
  return () => void all.delete(fn);
}

interface Reading {
  get(id: string): Entity | undefined;
  list(key: string): readonly Entity[];
  subscribe(fn: Heard): () => void;
  subscribeOne(id: string, fn: HeardOne): () => void;
}

const deaf = () => () => {};

/**
 * As much of a store as is read where the board is drawn, for one who may only look. There is no connection under it: what
 * hangs on that has nothing to hear.
 */
function storeOver({ get, list, subscribe, subscribeOne }: Reading, board: string, user: string): Store {
  const me: Me = { user, role: "viewer", session: "" };
  const engine = { hooks: new Set(), entries: new Map(), said: [], send: () => false, env: { clearTimeout() {}, setTimeout() {} } };
  const part = {
    engine, me, board, status: "live", closeCode: undefined, ready: Promise.resolve(true), rev: 0,
    get, confirmed: get, pending: () => false,
    list: (kind: Kind) => list(kind),
    children: (parent: string, kind = "") => list(`${kind}\n${parent}`),
    subscribe: (first: string | Heard, fn?: HeardOne) => (typeof first === "string" ? subscribeOne(first, fn!) : subscribe(first)),
    onStatus: deaf, onRollback: deaf, onSettled: deaf,
  };
  return part as unknown as Store;
}
