// Offline: the confirmed board and what is pending outlive the page.
//
//   engine ─ made, sending, concluded ─> pending ─┐            ┌─> view (painted at once)
//          ─ confirmed, after a moment ─> entities ┼─ a reload ─┤
//          ─ greeted ─> whose it is ───> meta ────┘            └─> engine.transact, in the order made
//
// Exactly once is the ids' doing (law 3). What is kept here adds to it that a mutation is sent again as it was sent before,
// with its deadline, and that one tab alone sends it (tabs.ts).

import { type Confirmed, confirmed } from "./confirmed.js";
import { all, clear, got, type Meta, type Name, only, open, type Row, run } from "./database.js";
import type { Change } from "./entities.js";
import type { Engine, Entry } from "./engine.js";
import type { Hello } from "./frames.js";
import { guarded, type Guard, guards } from "./guards.js";
import { type Surroundings, type Tabs, tabs } from "./tabs.js";
import type { Feature, Sent, Unsubscribe } from "./types.js";

/** From then on a mutation that was never sent goes out with its guards. */
const old = 60_000;
/** From then on it is not sent unless the user says so. */
const tooOld = 24 * 3600_000;
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

/** Keeps the board and what is pending over reloads: `connect({…, offline: offline()})`. One for each store. */
export const offline = (options: OfflineOptions = {}): Offline => new Offline(options);

export class Offline implements Feature {
  /** What was stored is shown, or `error` says why not. It never rejects. */
  readonly ready: Promise<void>;
  /** Another array whenever it changes. */
  stale: readonly StaleMutation[] = [];
  /** Why nothing is kept, or was not at the last try: no IndexedDB, no room, corrupt. The store works without. */
  error: unknown;

  #options: OfflineOptions;
  #from: Surroundings;
  #engine!: Engine;
  #name = "";
  #tab = "";
  #db: IDBDatabase | undefined; // undefined as long, and as soon, as nothing is kept
  #loaded = false;
  #over = new AbortController();
  #done!: () => void;
  #fns = new Set<() => void>();

  #owner: string | undefined; // whose the stored state is, as far as known
  #rows = new Map<string, Row>(); // what this tab sends, and what is stale
  #claimed: Row[] = []; // taken over, not yet shown
  #tabs!: Tabs;
  #at = 0; // of the newest row

  #confirmed!: Confirmed;

  /** @internal */
  constructor(options: OfflineOptions) {
    this.#options = options;
    this.#from = {
      indexedDB: globalThis.indexedDB, locks: globalThis.navigator?.locks, BroadcastChannel: globalThis.BroadcastChannel,
      ...options.surroundings,
    };
    this.ready = new Promise((done) => (this.#done = done));
  }

  /** Calls fn when `stale` or `error` has changed. */
  subscribe(fn: () => void): Unsubscribe {
    const own = () => fn();
    this.#fns.add(own);
    return () => void this.#fns.delete(own);
  }

  /** Sends a stale mutation after all, unless a field it sets has changed since it was made. */
  resend(id: string): Sent | undefined {
    const row = this.#rows.get(id);
    if (!row || !this.#unlist(id)) return undefined;
    row.again = true;
    this.#put(row);
    return this.#replay(row);
  }

  /** Forgets a stale mutation. */
  discard(id: string): void {
    if (this.#unlist(id)) this.#drop(id);
  }

  /**
   * Closes the store and deletes what is kept of every board of this server, whoever left it; rejects if something could
   * not be deleted. The application's other tabs keep nothing from then on.
   */
  async signOut(): Promise<void> {
    await this.ready;
    const emptied = this.#db && run(this.#db, all, clear);
    this.#db = undefined;
    this.#list([]);
    this.#engine.close();
    await emptied; // before what another tab may hold open for long
    const factory = this.#from.indexedDB as IDBFactory | undefined;
    const names = (await factory?.databases?.())?.map(({ name }) => name!) ?? (factory ? [this.#name] : []);
    const ours = names.filter((name) => name.startsWith(this.#prefix));
    await Promise.all(ours.map((name) => this.#within(patience.all, got(factory!.deleteDatabase(name)))));
  }

  /** @internal */
  attach(engine: Engine): void {
    this.#engine = engine;
    this.#tab = engine.ulid();
    const { board, part, user } = engine.options;
    this.#name = this.#prefix + encodeURIComponent(board) + (part ? `?${part}` : "");
    this.#owner = this.#options.user ?? user;
    const { signal } = this.#over;
    this.#tabs = tabs(`${this.#name}#`, this.#tab, this.#from, signal, (tab) => this.#adopt(tab));
    this.#confirmed = confirmed(
      engine, () => ({ db: this.#db, owner: this.#owner }), (e) => (e || this.error) && this.#fail(e),
    );
    // visibilitychange comes before the end of a page
    signal.addEventListener("abort", engine.env.onWake(() => this.#confirmed.flush()));
    engine.hooks.add({
      made: (m) => {
        if (!this.#rows.has(m.id) && m.state !== "held") this.#add(m, guards(m, engine.view));
      },
      sending: (m) => this.#sending(m),
      concluded: (m, v) => {
        if ((v.ok || v.code !== "closed") && !this.stale.some(({ id }) => id === m.id)) this.#drop(m.id);
      },
      confirmed: (ids) => this.#confirmed.moved(ids),
      greeted: (hello) => this.#greeted(hello),
      closed: () => {
        this.#confirmed.flush();
        this.#stop();
      },
    });
    engine.holdUntil(this.#within(patience.all, this.#load()).catch(
      (e: unknown) => signal.aborted || this.#fail(e, true),
    ).then(this.#done));
  }

  get #prefix(): string {
    return `snapback:${this.#engine.base}`;
  }

  #tell(): void {
    for (const fn of [...this.#fns]) fn();
  }

  #fail(e: unknown, forGood = false): void {
    this.error = e;
    if (forGood) this.#stop();
    this.#tell();
  }

  #stop(): void {
    this.#over.abort();
    this.#db = undefined;
  }

  /** Fails if the promise takes longer. */
  #within<T>(ms: number, promise: Promise<T>): Promise<T> {
    const { env } = this.#engine;
    return new Promise((done, failed) => {
      const timer = env.setTimeout(() => failed(new Error(`IndexedDB: no answer in ${ms} ms`)), ms);
      promise.then(done, failed).finally(() => env.clearTimeout(timer));
    });
  }

  // Reading.

  async #load(): Promise<void> {
    const { signal } = this.#over;
    const db = await open(this.#from.indexedDB, this.#name);
    if (signal.aborted) return db.close();
    // Another tab signs out, or the browser clears what it keeps: nothing of it is to come back.
    db.onversionchange = db.onclose = () => this.#fail(new Error("IndexedDB: deleted"), true);
    signal.addEventListener("abort", () => db.close()); // after what is under way
    await this.#tabs.hold();
    this.#db = db;
    const taken = Promise.all((await this.#restore(db)).map((tab) => this.#tabs.watch(tab)));
    // Those of a page that has just been reloaded are free at once; those of other tabs never.
    await this.#within(patience.otherTabs, taken).catch(() => {});
    if (signal.aborted) return;
    this.#loaded = true;
    this.#take();
  }

  /** Brings the confirmed state into the view; gives the tabs that have left something pending. */
  async #restore(db: IDBDatabase): Promise<string[]> {
    const { view } = this.#engine;
    const asked = this.#owner;
    const [meta, entities, rows] = await run(db, all, async (stores) => {
      const meta = (await got(stores("meta").get(only))) as Meta | undefined;
      if (asked === undefined || !meta || meta.user === asked) {
        return [meta, await got(stores("entities").getAll()), (await got(stores("pending").getAll())) as Row[]] as const;
      }
      clear(stores);
      return [undefined, [], []] as const;
    });
    if (!this.#db) return [];
    this.#owner ??= meta?.user;
    for (const row of this.#rows.values()) this.#put(row, this.#owner); // made meanwhile
    view.user = this.#owner ?? view.user;
    if (typeof meta?.rev === "number" && meta.epoch) {
      this.#confirmed.since = { epoch: meta.epoch, rev: meta.rev };
      this.#engine.apply(view.restore(this.#confirmed.since, entities));
    }
    return [...new Set(rows.map(({ tab }) => tab))];
  }

  /** Takes over what another tab has left. */
  async #adopt(tab: string): Promise<void> {
    const rows = await this.#run(["pending"], async (stores) => {
      const left = ((await got(stores("pending").getAll())) as Row[]).filter((row) => row.tab === tab);
      for (const row of left) {
        row.tab = this.#tab;
        stores("pending").put(row);
      }
      return left;
    });
    if (!rows?.length) return;
    this.#tabs.announce();
    this.#claimed.push(...rows);
    if (this.#loaded) this.#take();
  }

  #take(): void {
    const listed: Row[] = [];
    for (const row of this.#claimed.splice(0).sort((a, b) => a.at - b.at)) {
      this.#rows.set(row.id, row);
      if (!this.#owner || row.user !== this.#owner || !Array.isArray(row.changes)) this.#drop(row.id);
      else if (this.#isStale(row)) listed.push(row);
      else this.#replay(row);
    }
    if (listed.length) this.#list([...this.stale, ...listed]);
  }

  #replay(row: Row): Sent {
    const { id, madeAt, expiresAt } = row;
    return this.#engine.transact(row.changes, { id, madeAt, ...(expiresAt && { expiresAt }) });
  }

  #age(row: Row): number {
    return Math.abs(this.#engine.env.wall() - row.at); // a clock that was set back says nothing
  }

  #isStale(row: Row): boolean {
    return !row.expiresAt && !row.again && this.#age(row) > tooOld;
  }

  #list(rows: readonly StaleMutation[]): void {
    this.stale = rows.map(({ id, changes, madeAt }) => ({ id, changes, madeAt }));
    this.#tell();
  }

  #unlist(id: string): boolean {
    const rest = this.stale.filter((m) => m.id !== id);
    if (rest.length === this.stale.length) return false;
    this.#list(rest);
    return true;
  }

  // Writing what is pending.

  /** A transaction, if something is kept; `error` says if it failed. */
  async #run<T>(names: readonly Name[], body: Parameters<typeof run<T>>[2]): Promise<T | undefined> {
    try {
      return this.#db && (await run(this.#db, names, body));
    } catch (e) {
      this.#fail(e);
    }
    return undefined;
  }

  #put(row: Row, user = row.user): void {
    row.user = user;
    void this.#run(["pending"], (stores) => stores("pending").put(row));
  }

  #drop(id: string): void {
    if (this.#rows.delete(id)) void this.#run(["pending"], (stores) => stores("pending").delete(id));
  }

  #add({ id, changes, madeAt }: Entry, by: readonly Guard[]): Row {
    const at = (this.#at = Math.max(this.#engine.env.wall(), this.#at + 1));
    const row: Row = { id, tab: this.#tab, user: this.#owner, at, madeAt, changes, guards: by };
    this.#rows.set(id, row);
    this.#put(row);
    this.#tabs.announce();
    return row;
  }

  /** Its deadline is in line to be written before the frame is. An undo that waited for its original is new here. */
  #sending(m: Entry): void {
    const row = this.#rows.get(m.id) ?? this.#add(m, []);
    if (this.#age(row) > old && m.sending === m.changes) m.sending = guarded(m.changes, row.guards);
    row.changes = m.sending;
    row.expiresAt = m.expiresAt;
    this.#put(row);
  }

  /** The server has said who you are. Nothing was sent on this connection yet. */
  #greeted({ user, epoch, rev }: Hello): void {
    const other = this.#owner !== undefined && this.#owner !== user;
    if (other) {
      this.#rows.clear();
      this.#claimed = [];
      this.#confirmed.since = undefined;
      this.#list([]);
    }
    this.#owner = user;
    void this.#run(all, async (stores) => {
      const meta = (await got(stores("meta").get(only))) as Meta | undefined;
      if (meta && meta.user !== user) clear(stores);
      // A board that was set back never had what is stored beyond its head.
      if (meta?.user !== user || (meta.epoch === epoch && meta.rev! > rev)) stores("meta").put({ user }, only);
      for (const row of this.#rows.values()) stores("pending").put(Object.assign(row, { user }));
    });
    if (other) return this.#engine.forget();
    for (const row of this.#rows.values()) {
      if (!this.#isStale(row) || !this.#engine.entries.has(row.id)) continue;
      this.#list([...this.stale, row]);
      this.#engine.cancel(row.id);
    }
  }
}
