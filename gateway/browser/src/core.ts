// The engine: makes mutations, keeps their way to the verdict, and tells the listeners.
//
//   transact ─> view (shown) ─> link (sent) ─> ack, nack ─> view ─> listeners, promises

import type { Change } from "./entities.js";
import type { Engine, Entry, Hooks, How } from "./engine.js";
import { browser, type Env } from "./env.js";
import { openLink, type Link } from "./link.js";
import type { EntityChange, Mutation, Options, Refusal, Sent, Status, Verdict } from "./types.js";
import { ulid } from "./ulid.js";
import { type Effects, createView, refused } from "./view.js";

// Milliseconds.
const usualTtl = 4000;

const maxChanges = 100;
const verdictsKept = 50;

/** A verdict as `inspect` tells it. */
export interface Past {
  readonly id: string;
  readonly changes: readonly Change[];
  readonly verdict: Verdict;
  readonly tookMs: number;
}

/** Functions that are called together. */
export class Listeners<A extends unknown[]> {
  readonly fns = new Set<(...args: A) => void>();
  readonly add = (fn: (...args: A) => void) => {
    const own = (...args: A) => fn(...args); // the same fn may listen twice
    this.fns.add(own);
    return () => void this.fns.delete(own);
  };
  /** A listener that throws keeps nobody else from hearing. */
  tell(...args: A): void {
    for (const fn of [...this.fns]) {
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

/** The engine as link and store see it. */
export interface Core extends Engine {
  readonly link: Link;
  readonly past: readonly Past[];
  /** See {@link Store.ready}. */
  readonly ready: Promise<boolean>;
  readonly onChange: Listeners<[readonly EntityChange[]]>;
  readonly onEntity: Map<string, Listeners<[EntityChange]>>;
  readonly onStatus: Listeners<[Status]>;
  readonly onRollback: Listeners<[Mutation, Refusal]>;
  readonly onSettled: Listeners<[Mutation, Verdict]>;
  /** Works on an input; the listeners hear of it when all of it is done. */
  run(fn: () => void): void;
  /** The server's clock; it may be one that has run on since. */
  hear(serverTime: string, isLate?: boolean): void;
  /** The frame of a mutation, the same for every sending; undefined if it is too large, which ends it. */
  frame(m: Entry, limit: number): object | undefined;
  /** Its verdict is overdue. */
  silence(m: Entry): void;
  /** Tells the opt-in parts. */
  tell<K extends keyof Hooks>(what: K, ...args: Parameters<NonNullable<Hooks[K]>>): void;
  tellStatus(status: Status): void;
  /** The link has ended for good. */
  ended(): void;
}

export function createCore(options: Options): Core {
  void (options.env ?? WebSocket); // throws where there is none
  if (!options.board) throw new TypeError("board: missing");
  const ttl = options.ttl ?? usualTtl;
  if (!(ttl >= 1000 && ttl <= 60000)) throw new RangeError("ttl: 1000 to 60000 ms");
  const env: Env = { ...browser, ...options.env };
  const named = [options.url ?? globalThis.location?.origin].flat();
  const servers: URL[] = [];
  do {
    const [url] = named.splice(env.random() * named.length, 1);
    servers.push(new URL("./", String(url).replace(/\/?$/, "/"))); // throws if it is none, or there are none
  } while (named.length);

  const view = createView(options.user ?? "", !!options.rollbackOnSilence);
  const hooks = new Set<Hooks>();
  const entries = new Map<string, Entry>();
  const said: Engine["said"] = new Map();
  const past: Past[] = [];
  const onChange: Core["onChange"] = new Listeners();
  const onEntity: Core["onEntity"] = new Map();
  const onStatus: Core["onStatus"] = new Listeners();
  const onRollback: Core["onRollback"] = new Listeners();
  const onSettled: Core["onSettled"] = new Listeners();

  let offset = env.wall() - env.monotonic(); // of the server's clock from the monotonic one
  const notices: (() => void)[] = []; // what listeners are still to be told, in order
  let depth = 0; // inputs that are being worked on, and the telling
  let joined!: (there: boolean) => void;
  const ready = new Promise<boolean>((done) => (joined = done));

  const now = () => env.monotonic() + offset;

  function run(fn: () => void): void {
    depth++;
    try {
      fn();
    } finally {
      for (let next; depth === 1 && (next = notices.shift()); ) next();
      depth--;
    }
  }

  function transact(changes: readonly Change[], how: How = {}): Sent {
    const id = how.id ?? ulid(now());
    let settle!: (v: Verdict) => void;
    const sent: Sent = Object.assign(new Promise<Verdict>((done) => (settle = done)), {
      id, entityId: changes[0]?.entityId ?? "", cancel: () => cancel(id),
    });
    if (!changes[0] || changes.length > maxChanges) {
      settle(refused("invalid", "", { field: "changes", limit: maxChanges }));
    } else if (link.status === "closed" || entries.has(id)) {
      settle(refused("closed"));
    } else {
      run(() => {
        let effects;
        try {
          effects = view.mutate(id, changes);
        } catch (e) {
          return settle(refused("invalid", String(e), { field: "patch" })); // no JSON
        }
        const pending = view.pending.at(-1)!;
        const entry: Entry = {
          id, pending, changes: pending.changes, sending: pending.changes, settle, madeAt: how.madeAt ?? now(),
          quiet: !!how.quiet, restored: !!how.id, state: how.held ? "held" : how.expiresAt ? "sent" : "queued",
          expiresAt: how.expiresAt, ask: false, withdrawn: false, owed: 0,
        };
        entries.set(id, entry);
        tell("made", entry);
        apply(effects);
        env.afterPaint(link.tick);
      });
    }
    return sent;
  }

  function cancel(id: string): void {
    const m = entries.get(id);
    if (!m) return;
    m.withdrawn = true;
    if (m.ask) return;
    run(() => {
      if (!link.cancel(m)) end(m, refused("withdrawn"));
      link.tick();
    });
  }

  /** Ends a mutation by a verdict of our own. */
  function end(m: Entry, verdict: Refusal): void {
    apply(view.nack({ clientMutationId: m.id, ...verdict }));
  }

  function frame(m: Entry, limit: number): object | undefined {
    if (!m.frame) {
      if (!m.expiresAt) {
        m.expiresAt = new Date(now() + ttl).toISOString();
        tell("sending", m);
      }
      const [only, more] = m.sending;
      m.frame = {
        type: "mutate", clientMutationId: m.id, expiresAt: m.expiresAt, ...(more ? { changes: m.sending } : only),
      };
      if (new TextEncoder().encode(JSON.stringify(m.frame)).length > limit) return void end(m, refused("too_large", "", { limit }));
    }
    if (m.state === "queued") m.state = "sent";
    return m.frame;
  }

  function apply({ changed, verdicts, confirmed }: Effects): void {
    run(() => {
      if (confirmed.length) tell("confirmed", confirmed);
      if (changed.length) {
        notices.push(() => {
          onChange.tell(changed);
          for (const change of changed) onEntity.get(change.id)?.tell(change);
        });
      }
      for (const { pending, verdict } of verdicts) conclude(entries.get(pending.id)!, verdict);
    });
  }

  function conclude(m: Entry, verdict: Verdict): void {
    const { id, changes, madeAt } = m;
    entries.delete(id);
    link.landed(m);
    past.push({ id, changes, verdict, tookMs: now() - madeAt });
    if (past.length > verdictsKept) past.shift();
    tell("concluded", m, verdict);
    notices.push(() => {
      const wasTold = m.pending.hidden || m.withdrawn; // already, or asked for
      if (!m.quiet) {
        if (!verdict.ok && !wasTold) onRollback.tell(m, verdict);
        onSettled.tell(m, verdict);
      }
      m.settle(verdict);
    });
  }

  function tell<K extends keyof Hooks>(what: K, ...args: Parameters<NonNullable<Hooks[K]>>): void {
    for (const part of [...hooks]) (part[what] as ((...args: unknown[]) => void) | undefined)?.(...args);
    if (what === "live") joined(true);
  }

  const core: Omit<Core, "link"> & { link?: Link } = {
    options, env, servers, view, hooks, entries, said, past, ready, onChange, onEntity, onStatus, onRollback, onSettled,
    run, now, transact, cancel, frame, apply, tell,
    ulid: () => ulid(now()),
    hear(serverTime, isLate) {
      const ahead = Date.parse(serverTime) - now();
      if (isLate ? ahead > 0 : ahead) offset += ahead; // NaN: it is no time
    },
    release(id, { sending, verdict }) {
      const m = entries.get(id);
      if (!m) return;
      if (verdict) end(m, verdict);
      else if (m.state === "held") {
        m.state = "queued";
        m.sending = sending ?? m.sending;
      }
      link.tick();
    },
    silence(m) {
      apply(view.silence(m.id));
      if (m.pending.hidden && !m.quiet) notices.push(() => onRollback.tell(m, refused("silence")));
    },
    tellStatus: (status) => void notices.push(() => onStatus.tell(status)),
    send: (f) => link.send(f),
    restart: () => link.restart(),
    close() {
      run(() => link.close(1000));
    },
    ended() {
      tell("closed", link.closeCode!);
      joined(false);
      entries.forEach((m) => notices.push(() => m.settle(refused("closed"))));
    },
  };
  const link = openLink(core as Core);
  core.link = link;
  Promise.resolve(options.offline?.attach(core)).then(link.start);
  return core as Core;
}
