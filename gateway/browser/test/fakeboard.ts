// A store without a server, for the tests of what stands on one: changes apply at once, verdicts come when the test says.

import type { Entity, EntityChange, Mutation, Refusal, Sent, Status, Store, Verdict } from "../src/index.js";
import type { Hooks } from "../src/engine.js";
import type { Change, Json, Patch } from "../src/entities.js";
import type { Hello } from "../src/frames.js";

/** A clock that moves when told. */
export class Clock {
  now = 0;
  #timers = new Map<number, { at: number; fn: () => void }>();
  #next = 1;
  setTimeout = (fn: () => void, ms: number): unknown => {
    this.#timers.set(this.#next, { at: this.now + ms, fn });
    return this.#next++;
  };
  clearTimeout = (timer: unknown): void => void this.#timers.delete(timer as number);

  advance(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const [id, due] = [...this.#timers].sort((a, b) => a[1].at - b[1].at)[0] ?? [];
      if (id === undefined || !due || due.at > end) break;
      this.#timers.delete(id);
      this.now = due.at;
      due.fn();
    }
    this.now = end;
  }
}

type Flight = Mutation & { readonly before: ReadonlyMap<string, Entity>; readonly settle: (v: Verdict) => void };

export class FakeBoard {
  readonly clock = new Clock();
  readonly sent: { type: string; data?: Json }[] = [];
  readonly hooks = new Set<Hooks>();
  readonly flights: Flight[] = [];
  live = false;
  /** How often somebody subscribed less how often he stopped. */
  listening = 0;

  status: Status = "connecting";
  closeCode: number | undefined;
  me: { user: string; role: "editor"; session: string } | undefined;
  rev = 0;
  readonly engine = {
    hooks: this.hooks,
    said: new Map(),
    env: { setTimeout: this.clock.setTimeout, clearTimeout: this.clock.clearTimeout, monotonic: () => this.clock.now },
    send: (frame: { type: string }) => this.live && this.sent.push(frame) > 0,
  };

  #entities = new Map<string, Entity>();
  #arrays = new Map<string, readonly Entity[]>();
  #all = new Set<(changes: readonly EntityChange[]) => void>();
  #rollback = new Set<(m: Mutation, why: Refusal) => void>();
  #settled = new Set<(m: Mutation, v: Verdict) => void>();
  #status = new Set<(s: Status) => void>();
  #ids = 0;

  constructor(...entities: Entity[]) {
    for (const e of entities) this.#entities.set(e.id, e);
  }

  get store(): Store {
    return this as unknown as Store;
  }

  get = (id: string) => this.#entities.get(id);
  confirmed = this.get;
  list = (kind: string) => this.#array(kind, (e) => e.kind === kind);
  children = (parent: string, kind?: string) =>
    this.#array(`${parent} ${kind}`, (e) => (e["columnId"] ?? e["cardId"]) === parent && (!kind || e.kind === kind));

  #array(key: string, pick: (e: Entity) => boolean): readonly Entity[] {
    const next = [...this.#entities.values()].filter(pick).sort((a, b) => (String(a["position"]) < String(b["position"]) ? -1 : 1));
    const was = this.#arrays.get(key);
    if (was?.length === next.length && was.every((e, i) => e === next[i])) return was;
    this.#arrays.set(key, next);
    return next;
  }

  #listen<F>(set: Set<F>, fn: F) {
    set.add(fn);
    this.listening++;
    return () => {
      if (set.delete(fn)) this.listening--;
    };
  }

  subscribe = (a: string | ((c: readonly EntityChange[]) => void), b?: (now?: Entity, before?: Entity) => void) =>
    this.#listen(this.#all, typeof a === "function" ? (c: readonly EntityChange[]) => a(c) : (changes: readonly EntityChange[]) => {
      for (const c of changes) if (c.id === a) b?.(c.after, c.before);
    });
  onStatus = (fn: (s: Status) => void) => this.#listen(this.#status, fn);
  onRollback = (fn: (m: Mutation, why: Refusal) => void) => this.#listen(this.#rollback, fn);
  onSettled = (fn: (m: Mutation, v: Verdict) => void) => this.#listen(this.#settled, fn);
  pending = (id: string) => this.flights.some((m) => m.changes.some((c) => c.entityId === id));

  /** Sets entities as a sync would; undefined removes one. */
  show(after: { [id: string]: Entity | undefined }): void {
    const changes: EntityChange[] = [];
    for (const [id, now] of Object.entries(after)) {
      const before = this.#entities.get(id);
      if (before === now) continue;
      if (now) this.#entities.set(id, now);
      else this.#entities.delete(id);
      changes.push({ id, before, after: now });
    }
    if (changes.length) for (const fn of [...this.#all]) fn(changes);
  }

  transact = (changes: readonly Change[]): Sent => {
    const id = `m${++this.#ids}`;
    const first = changes[0]!.entityId;
    const { promise, resolve } = withResolvers<Verdict>();
    const before = new Map<string, Entity>();
    const after: { [id: string]: Entity | undefined } = {};
    for (const { entityId, patch } of changes) {
      const was = this.#entities.get(entityId);
      if (was) before.set(entityId, was);
      after[entityId] = patch === null ? undefined : like({ ...(was ?? { id: entityId }), ...patch } as Entity, was);
    }
    this.flights.push({ id, changes, madeAt: this.clock.now, state: "sent", before, settle: resolve });
    this.show(after);
    return Object.assign(promise, { id, entityId: first, cancel: () => this.settle({ ok: false, code: "withdrawn", details: {}, reason: "" }) });
  };
  mutate = (entityId: string, patch: Patch) => this.transact([{ entityId, patch }]);
  create = (kind: string, patch: Patch) =>
    this.transact([{ entityId: String(patch["id"] ?? `e${++this.#ids}`), patch: { ...patch, kind } as Patch }]);
  remove = (entityId: string) => this.transact([{ entityId, patch: null }]);

  /** Settles the oldest mutation in flight. */
  settle(verdict: Verdict): void {
    const m = this.flights.shift()!;
    if (!verdict.ok) this.show(Object.fromEntries(m.changes.map(({ entityId }) => [entityId, m.before.get(entityId)])));
    if (!verdict.ok) for (const fn of [...this.#rollback]) fn(m, verdict);
    for (const fn of [...this.#settled]) fn(m, verdict);
    m.settle(verdict);
  }

  ack = () => this.settle({ ok: true, rev: ++this.rev, events: 1 });
  nack = (code: string, details: { [name: string]: Json } = {}) => this.settle({ ok: false, code, details, reason: code });

  turn(status: Status): void {
    this.status = status;
    for (const fn of [...this.#status]) fn(status);
  }

  join(session: string): void {
    this.me = { user: "ann", role: "editor", session };
    this.live = true;
    const hello = { session, user: "ann", role: "editor" } as Hello;
    this.tell("greeted", hello);
    this.turn("live");
    this.tell("live", hello);
  }

  leave(): void {
    this.live = false;
    this.tell("gone");
    this.turn("offline");
  }

  tell<H extends keyof Hooks>(hook: H, ...args: Parameters<NonNullable<Hooks[H]>>): void {
    for (const h of [...this.hooks]) (h[hook] as ((...a: unknown[]) => void) | undefined)?.call(h, ...args);
  }

  close(): void {
    this.live = false;
    this.tell("closed");
    this.turn("closed");
  }
}

function like(e: Entity, was: Entity | undefined): Entity {
  if (e.kind !== "card") return e;
  const change = Number(Boolean(e["liked"])) - Number(Boolean(was?.["liked"]));
  return { ...e, liked: Boolean(e["liked"]), likes: Number(was?.["likes"] ?? 0) + change };
}

function withResolvers<T>() {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((r) => (resolve = r));
  return { promise, resolve };
}

export const card = (id: string, fields: { [name: string]: Json } = {}): Entity =>
  ({ id, kind: "card", title: id, columnId: "next", position: id, likes: 0, liked: false, ...fields });

export const column = (id: string): Entity => ({ id, kind: "column", title: id, position: id });

