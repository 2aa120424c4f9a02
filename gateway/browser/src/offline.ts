// Offline: the confirmed board and what is pending outlive the page.
//
//   engine ─ made, sending, concluded ──> pending ──┐            ┌─> view (painted at once)
//          ─ confirmed, after a moment ─> entities ─┼─ a reload ─┤
//          ─ greeted: whose it is ──────> meta ─────┘            └─> engine.transact, in the order made
//
// Exactly once is the ids' doing (law 3). What is kept here adds to it that a mutation is sent again as it was sent before,
// with its deadline, and that one tab alone sends it (tabs.ts). A deadline is in line to be written before its frame is, not
// waited for: after a crash in between the mutation gets another one.

import { type Confirmed, confirmed } from "./confirmed.js";
import { Listeners } from "./core.js";
import { all, clear, got, type Meta, type Name, only, open, type Row, run } from "./database.js";
import { noteEffects } from "./effect.js";
import type { Change } from "./entities.js";
import type { Engine, Entry } from "./engine.js";
import type { Hello } from "./frames.js";
import { guarded, type Guard, guards } from "./guards.js";
import { type Surroundings, type Tabs, tabs } from "./tabs.js";
import type { Feature, Sent, Unsubscribe } from "./types.js";
import { refused } from "./view.js";

/** From then on a mutation that was never sent goes out with its guards. */
const old = 60_000;
/** From then on it is not sent unless the user says so. */
const tooOld = 24 * 3600_000;
/** Close code: you may not see the board (any more). */
const notYours = 4502;
/** How long the first connection waits for what is stored, and how much of that for what other tabs may have left. */
const patience = { all: 5000, otherTabs: 100 };

export interface OfflineOptions {
  /**
   * Who is signed in, if the application knows it before the server says: what another user has left is then not even
   * shown until the first connection. Default: `user` of {@link connect}'s options.
   */
  readonly user?: string;
  /** @internal */
  readonly surroundings?: Partial<Surroundings>;
}

/** A mutation that was never sent and is older than a day. The view does not show it. */
export interface StaleMutation {
  readonly id: string;
  readonly changes: readonly Change[];
  /** When it was made, by the server's clock, in milliseconds since 1970. */
  readonly madeAt: number;
}

export interface Offline extends Feature {
  /** What was stored is shown, or `error` says why not. It never rejects. */
  readonly ready: Promise<void>;
  /** Another array whenever it changes. */
  readonly stale: readonly StaleMutation[];
  /** Why nothing is kept, or was not at the last try: no IndexedDB, no room, corrupt. The store works without. */
  readonly error: unknown;
  /** Calls fn when `stale` or `error` has changed. */
  subscribe(fn: () => void): Unsubscribe;
  /** Sends a stale mutation after all, unless a field it sets has changed since it was made. */
  resend(id: string): Sent | undefined;
  /** Forgets a stale mutation. */
  discard(id: string): void;
  /**
   * Closes the store and deletes what is kept of every board of this server, whoever left it; rejects if something could
   * not be deleted. The application's other tabs keep nothing from then on.
   */
  signOut(): Promise<void>;
}

/** Keeps the board and what is pending over reloads: `connect({…, offline: offline()})`. One for each store. */
export function offline(options: OfflineOptions = {}): Offline {
  let { user: owner } = options;
  const { indexedDB, navigator, BroadcastChannel } = globalThis;
  const from: Surroundings = { indexedDB, locks: navigator?.locks, BroadcastChannel, ...options.surroundings };
  const over = new AbortController();
  const { signal } = over;
  const listeners = new Listeners<[]>();
  const rows = new Map<string, Row>(); // what this tab sends, and what is stale
  let engine: Engine;
  let prefix = "";
  let name = "";
  let tab = "";
  let others!: Tabs;
  let board!: Confirmed;
  const unkept = new Set<Row>(); // made in the task that is under way
  let db: IDBDatabase | undefined; // undefined as long, and as soon, as nothing is kept
  let isLoaded = false;
  const claimed: Row[] = []; // taken over, not yet shown
  let newest = 0; // `at` of the newest row
  let stale: readonly StaleMutation[] = [];
  let error: unknown;
  let done!: () => void;
  const ready = new Promise<void>((resolve) => (done = resolve));

  // What becomes of it.

  const fail = (e: unknown) => {
    error = e;
    listeners.tell();
  };

  const stop = () => {
    over.abort();
    db = undefined;
  };

  const giveUp = (e: unknown) => {
    if (signal.aborted) return;
    stop();
    fail(e);
  };

  /** Fails if the promise takes longer. */
  const within = <T>(ms: number, promise: Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      const timer = engine.env.setTimeout(() => reject(new Error("IndexedDB: no answer")), ms);
      promise.then(resolve, reject).finally(() => engine.env.clearTimeout(timer));
    });

  /** A transaction, if something is kept; `error` says if it failed. */
  const keep = async <T>(names: readonly Name[], body: Parameters<typeof run<T>>[2]): Promise<T | undefined> => {
    try {
      return db && (await run(db, names, body));
    } catch (e) {
      fail(e);
    }
    return undefined;
  };

  const put = (row: Row) => {
    unkept.delete(row);
    return keep(["pending"], (stores) => stores("pending").put(row));
  };

  const drop = (id: string) => {
    if (rows.delete(id)) void keep(["pending"], (stores) => stores("pending").delete(id));
  };

  // Reading.

  const load = async (): Promise<void> => {
    const opened = await open(from.indexedDB, name);
    if (signal.aborted) return opened.close();
    // Another tab signs out, or the browser clears what it keeps: nothing of it is to come back.
    opened.onversionchange = opened.onclose = () => giveUp(new Error("IndexedDB: deleted"));
    signal.addEventListener("abort", () => opened.close()); // after what is under way
    await others.hold();
    db = opened;
    const taken = Promise.all((await restore(opened)).map(others.watch));
    // Those of a page that has just been reloaded are free at once; those of other tabs never.
    await within(patience.otherTabs, taken).catch(() => {});
    isLoaded = !signal.aborted;
    take();
  };

  /** Brings the confirmed state into the view; gives the tabs that have left something pending. */
  const restore = async (db: IDBDatabase): Promise<string[]> => {
    const { view } = engine;
    const [meta, entities, left] = await run(db, all, async (stores) => {
      const meta = (await got(stores("meta").get(only))) as Meta | undefined;
      if (meta && (owner ?? meta.user) !== meta.user) {
        clear(stores);
        return [undefined, [], []] as const;
      }
      return [meta, await got(stores("entities").getAll()), (await got(stores("pending").getAll())) as Row[]] as const;
    });
    if (signal.aborted) return [];
    owner ??= meta?.user;
    for (const row of rows.values()) void put(Object.assign(row, { user: owner })); // made meanwhile
    others.announce();
    view.user = owner ?? view.user;
    if (typeof meta?.rev === "number" && meta.epoch) {
      board.since = { epoch: meta.epoch, rev: meta.rev };
      view.resume = board.since;
      engine.apply(view.load(entities));
    }
    return left.map((row) => row.tab);
  };

  /** Takes over what another tab has left. */
  const adopt = async (from: string): Promise<void> => {
    const taken = await keep(["pending"], async (stores) => {
      const left = ((await got(stores("pending").getAll())) as Row[]).filter((row) => row.tab === from);
      for (const row of left) stores("pending").put(Object.assign(row, { tab }));
      return left;
    });
    if (!taken?.length) return;
    others.announce();
    claimed.push(...taken);
    take();
  };

  /** Shows and sends what was taken over, once it is known whose page this is. */
  const take = () => {
    if (!isLoaded || owner === undefined) return;
    const late: Row[] = [];
    for (const row of claimed.splice(0).sort((a, b) => a.at - b.at)) {
      rows.set(row.id, row);
      if (row.user !== owner || !Array.isArray(row.changes)) drop(row.id);
      else if (isTooOld(row)) late.push(row);
      else replay(row);
    }
    if (late.length) list([...stale, ...late]);
  };

  const replay = ({ id, changes, madeAt, expiresAt }: Row): Sent =>
    engine.transact(changes, { id, madeAt, ...(expiresAt && { expiresAt }) });

  // Those too old to be sent unasked.

  const age = (row: Row) => Math.abs(engine.env.wall() - row.at); // a clock that was set back says nothing

  const isTooOld = (row: Row) => !row.expiresAt && !row.again && age(row) > tooOld;

  const list = (mutations: readonly StaleMutation[]) => {
    stale = mutations.map(({ id, changes, madeAt }) => ({ id, changes, madeAt }));
    listeners.tell();
  };

  const isListed = (id: string) => stale.some((m) => m.id === id);

  const unlist = (id: string): Row | undefined => {
    if (!isListed(id)) return undefined;
    list(stale.filter((m) => m.id !== id));
    return rows.get(id);
  };

  // Writing.

  const add = ({ id, changes, madeAt }: Entry, by: readonly Guard[]): Row => {
    newest = Math.max(engine.env.wall(), newest + 1);
    const row: Row = { id, tab, user: owner, at: newest, madeAt, changes, guards: by };
    rows.set(id, row);
    unkept.add(row);
    engine.env.afterPaint(() => {
      others.announce();
      queueMicrotask(() => unkept.delete(row) && rows.get(id) === row && put(row)); // sent at once it is written once
    });
    return row;
  };

  /** Its deadline is in line to be written before the frame is. An undo that waited for its original is new here. */
  const sending = (m: Entry) => {
    const row = rows.get(m.id) ?? add(m, []);
    if (age(row) > old && m.sending === m.changes) m.sending = guarded(m.changes, row.guards);
    void put(Object.assign(row, { changes: m.sending, expiresAt: m.expiresAt })).then((kept) => (row.isKept = !!kept));
  };

  /** The server has said who you are. Nothing was sent on this connection yet. */
  const greeted = ({ user, epoch, rev }: Hello) => {
    const isOther = owner !== undefined && owner !== user;
    if (isOther) {
      rows.clear();
      board.since = undefined;
      list([]);
    }
    owner = user;
    void keep(all, async (stores) => {
      const meta = (await got(stores("meta").get(only))) as Meta | undefined;
      if (meta && meta.user !== user) clear(stores);
      // A board that was set back never had what is stored beyond its head.
      if (meta?.user !== user || (meta.epoch === epoch && meta.rev! > rev)) stores("meta").put({ user }, only);
      for (const row of rows.values()) stores("pending").put(Object.assign(row, { user }));
    });
    if (isOther) return forget();
    take();
    for (const row of rows.values()) {
      if (!isTooOld(row) || !engine.entries.has(row.id)) continue;
      list([...stale, row]);
      engine.cancel(row.id);
    }
  };

  /** Empties the view and joins afresh: all of it was another user's. */
  const forget = () => {
    const { view, entries } = engine;
    for (const id of [...entries.keys()]) engine.release(id, { verdict: refused("closed") });
    engine.apply(view.hello({ user: "", epoch: "", resumed: false } as Hello));
    engine.apply(view.ready(0));
    engine.restart();
  };

  const closed = (code?: number) => {
    board.flush();
    if (code === notYours) {
      void keep(["entities", "meta"], (stores) => {
        stores("entities").clear();
        stores("meta").put({ user: owner }, only); // unsent words stay
      });
    }
    stop();
  };

  return {
    ready,
    get stale() {
      return stale;
    },
    get error() {
      return error;
    },
    subscribe: (fn) => listeners.add(fn),
    resend(id) {
      const row = unlist(id);
      if (!row) return undefined;
      row.again = true;
      void put(row);
      return replay(row);
    },
    discard(id) {
      if (unlist(id)) drop(id);
    },
    async signOut() {
      await ready;
      const emptied = db && run(db, all, clear);
      db = undefined;
      list([]);
      engine.close();
      await emptied; // before what another tab may hold open for long
      const factory = from.indexedDB as IDBFactory | undefined;
      const names = (await factory?.databases?.())?.map((found) => found.name!) ?? (factory ? [name] : []);
      const ours = names.filter((found) => found.startsWith(prefix));
      await Promise.all(ours.map((found) => within(patience.all, got(factory!.deleteDatabase(found)))));
    },
    attach(to) {
      const another = engine && new Error("offline: one for each store");
      if (signal.aborted) return fail(another); // the first is closed
      if (another) throw another;
      engine = to;
      tab = engine.ulid();
      prefix = `snapback:${engine.servers.map(String).sort()[0]}`; // whatever order they are named in
      name = prefix + encodeURIComponent(engine.options.board) + (engine.options.part ? `?${engine.options.part}` : "");
      owner ??= engine.options.user;
      noteEffects(engine.view);
      others = tabs(`${name}#`, tab, from, signal, adopt);
      board = confirmed(engine, () => ({ db, owner }), (e) => (e || error) && fail(e));
      // visibilitychange comes before the end of a page
      signal.addEventListener("abort", engine.env.onWake(board.flush));
      engine.hooks.add({
        made: (m) => rows.has(m.id) || m.state === "held" || add(m, guards(m, engine.view)),
        sending,
        concluded({ id }, v) {
          const row = rows.get(id);
          if (v.ok && row && row.isKept !== false) {
            rows.delete(id);
            board.settled(id);
          } else if ((v.ok || v.code !== "closed") && !isListed(id)) {
            drop(id);
          }
        },
        confirmed: board.moved,
        greeted,
        closed,
      });
      return within(patience.all, load()).catch(giveUp).then(done);
    },
  };
}
