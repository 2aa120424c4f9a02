import { confirmed } from "./confirmed.js";
import { all, clear, got, only, open, run } from "./database.js";
import { guarded, guards } from "./guards.js";
import { tabs } from "./tabs.js";
const old = 6e4;
const tooOld = 24 * 36e5;
const patience = { all: 5e3, otherTabs: 100 };
const offline = (options = {}) => new Offline(options);
class Offline {
  /** What was stored is shown, or `error` says why not. It never rejects. */
  ready;
  /** Another array whenever it changes. */
  stale = [];
  /** Why nothing is kept, or was not at the last try: no IndexedDB, no room, corrupt. The store works without. */
  error;
  #options;
  #from;
  #engine;
  #name = "";
  #tab = "";
  #db;
  // undefined as long, and as soon, as nothing is kept
  #loaded = false;
  #over = new AbortController();
  #done;
  #fns = /* @__PURE__ */ new Set();
  #owner;
  // whose the stored state is, as far as known
  #rows = /* @__PURE__ */ new Map();
  // what this tab sends, and what is stale
  #claimed = [];
  // taken over, not yet shown
  #tabs;
  #at = 0;
  // of the newest row
  #confirmed;
  /** @internal */
  constructor(options) {
    this.#options = options;
    this.#from = {
      indexedDB: globalThis.indexedDB,
      locks: globalThis.navigator?.locks,
      BroadcastChannel: globalThis.BroadcastChannel,
      ...options.surroundings
    };
    this.ready = new Promise((done) => this.#done = done);
  }
  /** Calls fn when `stale` or `error` has changed. */
  subscribe(fn) {
    const own = () => fn();
    this.#fns.add(own);
    return () => void this.#fns.delete(own);
  }
  /** Sends a stale mutation after all, unless a field it sets has changed since it was made. */
  resend(id) {
    const row = this.#rows.get(id);
    if (!row || !this.#unlist(id)) return void 0;
    row.again = true;
    this.#put(row);
    return this.#replay(row);
  }
  /** Forgets a stale mutation. */
  discard(id) {
    if (this.#unlist(id)) this.#drop(id);
  }
  /**
   * Closes the store and deletes what is kept of every board of this server, whoever left it; rejects if something could
   * not be deleted. The application's other tabs keep nothing from then on.
   */
  async signOut() {
    await this.ready;
    const emptied = this.#db && run(this.#db, all, clear);
    this.#db = void 0;
    this.#list([]);
    this.#engine.close();
    await emptied;
    const factory = this.#from.indexedDB;
    const names = (await factory?.databases?.())?.map(({ name }) => name) ?? (factory ? [this.#name] : []);
    const ours = names.filter((name) => name.startsWith(this.#prefix));
    await Promise.all(ours.map((name) => this.#within(patience.all, got(factory.deleteDatabase(name)))));
  }
  /** @internal */
  attach(engine) {
    this.#engine = engine;
    this.#tab = engine.ulid();
    const { board, part, user } = engine.options;
    this.#name = this.#prefix + encodeURIComponent(board) + (part ? `?${part}` : "");
    this.#owner = this.#options.user ?? user;
    const { signal } = this.#over;
    this.#tabs = tabs(`${this.#name}#`, this.#tab, this.#from, signal, (tab) => this.#adopt(tab));
    this.#confirmed = confirmed(
      engine,
      () => ({ db: this.#db, owner: this.#owner }),
      (e) => (e || this.error) && this.#fail(e)
    );
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
      }
    });
    engine.holdUntil(this.#within(patience.all, this.#load()).catch(
      (e) => signal.aborted || this.#fail(e, true)
    ).then(this.#done));
  }
  get #prefix() {
    return `snapback:${this.#engine.base}`;
  }
  #tell() {
    for (const fn of [...this.#fns]) fn();
  }
  #fail(e, forGood = false) {
    this.error = e;
    if (forGood) this.#stop();
    this.#tell();
  }
  #stop() {
    this.#over.abort();
    this.#db = void 0;
  }
  /** Fails if the promise takes longer. */
  #within(ms, promise) {
    const { env } = this.#engine;
    return new Promise((done, failed) => {
      const timer = env.setTimeout(() => failed(new Error(`IndexedDB: no answer in ${ms} ms`)), ms);
      promise.then(done, failed).finally(() => env.clearTimeout(timer));
    });
  }
  // Reading.
  async #load() {
    const { signal } = this.#over;
    const db = await open(this.#from.indexedDB, this.#name);
    if (signal.aborted) return db.close();
    db.onversionchange = db.onclose = () => this.#fail(new Error("IndexedDB: deleted"), true);
    signal.addEventListener("abort", () => db.close());
    await this.#tabs.hold();
    this.#db = db;
    const taken = Promise.all((await this.#restore(db)).map((tab) => this.#tabs.watch(tab)));
    await this.#within(patience.otherTabs, taken).catch(() => {
    });
    if (signal.aborted) return;
    this.#loaded = true;
    this.#take();
  }
  /** Brings the confirmed state into the view; gives the tabs that have left something pending. */
  async #restore(db) {
    const { view } = this.#engine;
    const asked = this.#owner;
    const [meta, entities, rows] = await run(db, all, async (stores) => {
      const meta2 = await got(stores("meta").get(only));
      if (asked === void 0 || !meta2 || meta2.user === asked) {
        return [meta2, await got(stores("entities").getAll()), await got(stores("pending").getAll())];
      }
      clear(stores);
      return [void 0, [], []];
    });
    if (!this.#db) return [];
    this.#owner ??= meta?.user;
    for (const row of this.#rows.values()) this.#put(row, this.#owner);
    view.user = this.#owner ?? view.user;
    if (typeof meta?.rev === "number" && meta.epoch) {
      this.#confirmed.since = { epoch: meta.epoch, rev: meta.rev };
      this.#engine.apply(view.restore(this.#confirmed.since, entities));
    }
    return [...new Set(rows.map(({ tab }) => tab))];
  }
  /** Takes over what another tab has left. */
  async #adopt(tab) {
    const rows = await this.#run(["pending"], async (stores) => {
      const left = (await got(stores("pending").getAll())).filter((row) => row.tab === tab);
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
  #take() {
    const listed = [];
    for (const row of this.#claimed.splice(0).sort((a, b) => a.at - b.at)) {
      this.#rows.set(row.id, row);
      if (!this.#owner || row.user !== this.#owner || !Array.isArray(row.changes)) this.#drop(row.id);
      else if (this.#isStale(row)) listed.push(row);
      else this.#replay(row);
    }
    if (listed.length) this.#list([...this.stale, ...listed]);
  }
  #replay(row) {
    const { id, madeAt, expiresAt } = row;
    return this.#engine.transact(row.changes, { id, madeAt, ...expiresAt && { expiresAt } });
  }
  #age(row) {
    return Math.abs(this.#engine.env.wall() - row.at);
  }
  #isStale(row) {
    return !row.expiresAt && !row.again && this.#age(row) > tooOld;
  }
  #list(rows) {
    this.stale = rows.map(({ id, changes, madeAt }) => ({ id, changes, madeAt }));
    this.#tell();
  }
  #unlist(id) {
    const rest = this.stale.filter((m) => m.id !== id);
    if (rest.length === this.stale.length) return false;
    this.#list(rest);
    return true;
  }
  // Writing what is pending.
  /** A transaction, if something is kept; `error` says if it failed. */
  async #run(names, body) {
    try {
      return this.#db && await run(this.#db, names, body);
    } catch (e) {
      this.#fail(e);
    }
    return void 0;
  }
  #put(row, user = row.user) {
    row.user = user;
    void this.#run(["pending"], (stores) => stores("pending").put(row));
  }
  #drop(id) {
    if (this.#rows.delete(id)) void this.#run(["pending"], (stores) => stores("pending").delete(id));
  }
  #add({ id, changes, madeAt }, by) {
    const at = this.#at = Math.max(this.#engine.env.wall(), this.#at + 1);
    const row = { id, tab: this.#tab, user: this.#owner, at, madeAt, changes, guards: by };
    this.#rows.set(id, row);
    this.#put(row);
    this.#tabs.announce();
    return row;
  }
  /** Its deadline is in line to be written before the frame is. An undo that waited for its original is new here. */
  #sending(m) {
    const row = this.#rows.get(m.id) ?? this.#add(m, []);
    if (this.#age(row) > old && m.sending === m.changes) m.sending = guarded(m.changes, row.guards);
    row.changes = m.sending;
    row.expiresAt = m.expiresAt;
    this.#put(row);
  }
  /** The server has said who you are. Nothing was sent on this connection yet. */
  #greeted({ user, epoch, rev }) {
    const other = this.#owner !== void 0 && this.#owner !== user;
    if (other) {
      this.#rows.clear();
      this.#claimed = [];
      this.#confirmed.since = void 0;
      this.#list([]);
    }
    this.#owner = user;
    void this.#run(all, async (stores) => {
      const meta = await got(stores("meta").get(only));
      if (meta && meta.user !== user) clear(stores);
      if (meta?.user !== user || meta.epoch === epoch && meta.rev > rev) stores("meta").put({ user }, only);
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
export {
  Offline,
  offline
};
