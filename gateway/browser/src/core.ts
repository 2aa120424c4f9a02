// The engine: makes mutations, keeps their way to the verdict, and tells the listeners.
//
//   transact ─> view (shown) ─> link (sent) ─> ack, nack ─> view ─> listeners, promises

import type { Change, Json } from "./entities.js";
import type { Engine, Entry, Hooks, How } from "./engine.js";
import { browser, type Env } from "./env.js";
import type { Broken, Hello, Loaded } from "./frames.js";
import { Link } from "./link.js";
import type { EntityChange, Mutation, Options, Refusal, Sent, Status, Verdict } from "./types.js";
import { ulid } from "./ulid.js";
import { type Effects, View } from "./view.js";

const ttl = { min: 1000, max: 60000, usual: 4000 };
const maxChanges = 100;
const verdictsKept = 50;

/** A verdict as `inspect` tells it. */
export interface Past {
  readonly id: string;
  readonly changes: readonly Change[];
  readonly verdict: Verdict;
  readonly tookMs: number;
}

export const refused = (code: string, reason = "", details: { [name: string]: Json } = {}): Refusal => ({
  ok: false, code, reason, details,
});

/** Functions that are called together. */
export class Listeners<A extends unknown[]> {
  #fns = new Set<(...args: A) => void>();
  get size(): number {
    return this.#fns.size;
  }
  add(fn: (...args: A) => void): () => void {
    const own = (...args: A) => fn(...args); // the same fn may listen twice
    this.#fns.add(own);
    return () => void this.#fns.delete(own);
  }
  /** A listener that throws keeps nobody else from hearing. */
  tell(...args: A): void {
    for (const fn of [...this.#fns]) {
      try {
        fn(...args);
      } catch (e) {
        queueMicrotask(() => {
          throw e;
        });
      }
    }
  }
}

export class Core implements Engine {
  readonly options: Options;
  readonly env: Env;
  readonly base: URL;
  readonly view: View;
  readonly hooks = new Set<Hooks>();
  readonly entries = new Map<string, Entry>();
  readonly link: Link;

  readonly onChange = new Listeners<[readonly EntityChange[]]>();
  readonly onEntity = new Map<string, Listeners<[EntityChange]>>();
  readonly onStatus = new Listeners<[Status]>();
  readonly onRollback = new Listeners<[Mutation, Refusal]>();
  readonly onSettled = new Listeners<[Mutation, Verdict]>();
  readonly past: Past[] = [];
  readonly ready: Promise<boolean>;

  #joined!: (there: boolean) => void;
  #clock: { server: number; at: number };
  #holds: Promise<void>[] = [];
  #loads = new Map<number, { done(page: Loaded): void; failed(e: Error): void }>();
  #loadId = 0;
  #notices: (() => void)[] = []; // what listeners are still to be told, in order
  #depth = 0; // inputs that are being worked on
  #telling = false;

  constructor(options: Options) {
    this.options = options;
    this.env = { ...browser, ...options.env };
    if (!options.board) throw new TypeError("board: missing");
    if (options.ttl !== undefined && !(options.ttl >= ttl.min && options.ttl <= ttl.max)) {
      throw new RangeError(`ttl: ${ttl.min} to ${ttl.max} ms`);
    }
    this.base = new URL(String(options.url ?? this.env.origin()).replace(/\/?$/, "/"));
    this.base.protocol = this.base.protocol.replace("ws", "http");
    this.view = new View(options.user ?? "", options.rollbackOnSilence ?? false);
    this.#clock = { server: this.env.wall(), at: this.env.monotonic() };
    this.ready = new Promise((done) => (this.#joined = done));
    this.link = new Link(this);
    options.offline?.attach(this);
    Promise.all(this.#holds).then(() => this.link.start());
  }

  holdUntil(ready: Promise<void>): void {
    this.#holds.push(ready.catch(() => {}));
  }

  now(): number {
    return this.#clock.server + this.env.monotonic() - this.#clock.at;
  }

  /** The server's clock. */
  hear(serverTime: string): void {
    this.#clock = { server: Date.parse(serverTime), at: this.env.monotonic() };
  }

  ulid(): string {
    return ulid(this.now());
  }

  transact(changes: readonly Change[], how: How = {}): Sent {
    const id = how.id ?? this.ulid();
    let settle!: (v: Verdict) => void;
    const sent: Sent = Object.assign(new Promise<Verdict>((done) => (settle = done)), {
      id, entityId: changes[0]?.entityId ?? "", cancel: () => this.cancel(id),
    });
    if (!changes[0] || changes.length > maxChanges) {
      settle(refused("invalid", "", { field: "changes", limit: maxChanges }));
    } else if (this.link.status === "closed" || this.entries.has(id)) {
      settle(refused("closed"));
    } else {
      this.run(() => {
        let effects;
        try {
          effects = this.view.mutate(id, changes);
        } catch (e) {
          return settle(refused("invalid", String(e), { field: "patch" })); // no JSON
        }
        const pending = this.view.byId(id)!;
        const entry: Entry = {
          id, pending, changes: pending.changes, sending: pending.changes, settle, madeAt: how.madeAt ?? this.now(),
          quiet: !!how.quiet, restored: !!how.id, state: how.held ? "held" : how.expiresAt ? "sent" : "queued",
          expiresAt: how.expiresAt, frame: undefined, ask: false, withdrawn: false, owed: 0,
        };
        this.entries.set(id, entry);
        this.tellParts("made", entry);
        this.apply(effects);
        this.link.tick();
      });
    }
    return sent;
  }

  release(id: string, how: { readonly sending?: readonly Change[] } | { readonly verdict: Verdict }): void {
    const m = this.entries.get(id);
    if (m?.state !== "held") return;
    this.run(() => {
      m.state = "queued";
      if ("verdict" in how) {
        this.#end(m, how.verdict);
      } else if (how.sending) {
        m.sending = how.sending;
      }
      this.link.tick();
    });
  }

  cancel(id: string): void {
    const m = this.entries.get(id);
    if (!m || m.ask) return;
    m.withdrawn = true;
    this.run(() => {
      if (!this.link.cancel(m)) this.#end(m, refused("withdrawn"));
      this.link.tick();
    });
  }

  /** Ends a mutation by a verdict of our own. */
  #end(m: Entry, v: Verdict): void {
    const effects = this.view.nack({ clientMutationId: m.id, code: "", reason: "" });
    this.apply({ ...effects, verdicts: effects.verdicts.map(({ pending }) => ({ pending, verdict: v })) });
  }

  /** The frame of a mutation, the same for every sending; undefined if it is too large, which ends it. */
  frame(m: Entry, limit: number): string | undefined {
    if (!m.frame) {
      if (!m.expiresAt) {
        m.expiresAt = new Date(this.now() + (this.options.ttl ?? ttl.usual)).toISOString();
        this.tellParts("sending", m);
      }
      const [only, more] = m.sending;
      m.frame = JSON.stringify({
        type: "mutate", clientMutationId: m.id, expiresAt: m.expiresAt, ...(more ? { changes: m.sending } : only),
      });
    }
    if (m.frame.length * 3 > limit && new TextEncoder().encode(m.frame).length > limit) {
      return void this.#end(m, refused("too_large", "", { limit }));
    }
    if (m.state === "queued") m.state = "sent";
    return m.frame;
  }

  /** Its verdict is overdue. */
  silence(m: Entry): void {
    this.apply(this.view.silence(m.id));
    if (this.options.rollbackOnSilence && !m.quiet) {
      this.#notices.push(() => this.onRollback.tell(m, refused("silence")));
    }
  }

  apply({ changed, verdicts, confirmed }: Effects): void {
    this.run(() => {
      if (confirmed.length) this.tellParts("confirmed", confirmed);
      if (changed.length) this.#notices.push(() => this.#tellChanged(changed));
      for (const { pending, verdict } of verdicts) this.#conclude(this.entries.get(pending.id)!, verdict);
    });
  }

  #tellChanged(changed: readonly EntityChange[]): void {
    this.onChange.tell(changed);
    for (const change of changed) this.onEntity.get(change.id)?.tell(change);
  }

  #conclude(m: Entry, v: Verdict): void {
    const { id, changes, madeAt } = m;
    this.entries.delete(id);
    this.link.landed(m);
    this.past.push({ id, changes, verdict: v, tookMs: this.now() - madeAt });
    if (this.past.length > verdictsKept) this.past.shift();
    this.tellParts("concluded", m, v);
    this.#notices.push(() => {
      const told = m.pending.hidden || m.withdrawn; // already, or asked for
      if (!v.ok && !told && !m.quiet) this.onRollback.tell(m, v);
      if (!m.quiet) this.onSettled.tell(m, v);
      m.settle(v);
    });
  }

  tellParts<K extends keyof Hooks>(what: K, ...args: Parameters<NonNullable<Hooks[K]>>): void {
    for (const part of [...this.hooks]) (part[what] as ((...args: unknown[]) => void) | undefined)?.(...args);
    if (what === "live") this.#joined(true);
    if (what === "gone") this.#failLoads();
  }

  statusChanged(status: Status): void {
    this.#notices.push(() => this.onStatus.tell(status));
  }

  /** Works on an input; the listeners hear of it when all of it is done. */
  run(fn: () => void): void {
    this.#depth++;
    try {
      fn();
    } finally {
      this.#depth--;
      if (!this.#depth && !this.#telling) {
        this.#telling = true;
        for (let next; (next = this.#notices.shift()); ) next();
        this.#telling = false;
      }
    }
  }

  send(frame: object): boolean {
    return this.link.send(frame);
  }

  load(what: object): Promise<Loaded> {
    return new Promise((done, failed) => {
      const id = ++this.#loadId;
      if (this.send({ type: "load", id, ...what })) this.#loads.set(id, { done, failed });
      else failed(new Error("not live"));
    });
  }

  loaded(f: Loaded | Broken): void {
    if ("entities" in f) this.apply(this.view.load(f.entities));
    const waiting = this.#loads.get(f.id!);
    this.#loads.delete(f.id!);
    this.#notices.push(() => ("entities" in f ? waiting?.done(f) : waiting?.failed(new Error(f.reason))));
  }

  #failLoads(): void {
    this.#loads.forEach(({ failed }) => failed(new Error("connection lost")));
    this.#loads.clear();
  }

  forget(): void {
    this.run(() => {
      for (const m of [...this.entries.values()]) this.#end(m, refused("closed"));
      const nobody = { type: "hello", resumed: false, epoch: "", user: "" } as Hello;
      this.apply(this.view.hello(nobody));
      this.apply(this.view.ready(0));
      this.link.restart();
      this.link.tick();
    });
  }

  close(): void {
    if (this.link.status !== "closed") this.run(() => this.link.close(1000));
  }

  /** The link has ended for good. */
  ended(): void {
    this.tellParts("closed");
    this.#joined(false);
    for (const m of this.entries.values()) this.#notices.push(() => m.settle(refused("closed")));
  }
}
