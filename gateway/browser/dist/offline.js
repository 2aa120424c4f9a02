import { confirmed } from "./confirmed.js";
import { Listeners } from "./core.js";
import { all, clear, got, only, open, run } from "./database.js";
import { noteEffects } from "./effect.js";
import { guarded, guards } from "./guards.js";
import { tabs } from "./tabs.js";
import { refused } from "./view.js";
const old = 6e4;
const tooOld = 24 * 36e5;
const notYours = 4502;
const patience = { all: 5e3, otherTabs: 100 };
function offline(options = {}) {
  let { user: owner } = options;
  const { indexedDB, navigator, BroadcastChannel } = globalThis;
  const from = { indexedDB, locks: navigator?.locks, BroadcastChannel, ...options.surroundings };
  const over = new AbortController();
  const { signal } = over;
  const listeners = new Listeners();
  const rows = /* @__PURE__ */ new Map();
  let engine;
  let prefix = "";
  let name = "";
  let tab = "";
  let others;
  let board;
  const unkept = /* @__PURE__ */ new Set();
  let db;
  let isLoaded = false;
  const claimed = [];
  let newest = 0;
  let stale = [];
  let error;
  let done;
  const ready = new Promise((resolve) => done = resolve);
  const fail = (e) => {
    error = e;
    listeners.tell();
  };
  const stop = () => {
    over.abort();
    db = void 0;
  };
  const giveUp = (e) => {
    if (signal.aborted) return;
    stop();
    fail(e);
  };
  const within = (ms, promise) => new Promise((resolve, reject) => {
    const timer = engine.env.setTimeout(() => reject(new Error("IndexedDB: no answer")), ms);
    promise.then(resolve, reject).finally(() => engine.env.clearTimeout(timer));
  });
  const keep = async (names, body) => {
    try {
      return db && await run(db, names, body);
    } catch (e) {
      fail(e);
    }
    return void 0;
  };
  const put = (row) => {
    unkept.delete(row);
    return keep(["pending"], (stores) => stores("pending").put(row));
  };
  const drop = (id) => {
    if (rows.delete(id)) void keep(["pending"], (stores) => stores("pending").delete(id));
  };
  const load = async () => {
    const opened = await open(from.indexedDB, name);
    if (signal.aborted) return opened.close();
    opened.onversionchange = opened.onclose = () => giveUp(new Error("IndexedDB: deleted"));
    signal.addEventListener("abort", () => opened.close());
    await others.hold();
    db = opened;
    const taken = Promise.all((await restore(opened)).map(others.watch));
    await within(patience.otherTabs, taken).catch(() => {
    });
    isLoaded = !signal.aborted;
    take();
  };
  const restore = async (db2) => {
    const { view } = engine;
    const [meta, entities, left] = await run(db2, all, async (stores) => {
      const meta2 = await got(stores("meta").get(only));
      if (meta2 && (owner ?? meta2.user) !== meta2.user) {
        clear(stores);
        return [void 0, [], []];
      }
      return [meta2, await got(stores("entities").getAll()), await got(stores("pending").getAll())];
    });
    if (signal.aborted) return [];
    owner ??= meta?.user;
    for (const row of rows.values()) void put(Object.assign(row, { user: owner }));
    others.announce();
    view.user = owner ?? view.user;
    if (typeof meta?.rev === "number" && meta.epoch) {
      board.since = { epoch: meta.epoch, rev: meta.rev };
      view.resume = board.since;
      engine.apply(view.load(entities));
    }
    return left.map((row) => row.tab);
  };
  const adopt = async (from2) => {
    const taken = await keep(["pending"], async (stores) => {
      const left = (await got(stores("pending").getAll())).filter((row) => row.tab === from2);
      for (const row of left) stores("pending").put(Object.assign(row, { tab }));
      return left;
    });
    if (!taken?.length) return;
    others.announce();
    claimed.push(...taken);
    take();
  };
  const take = () => {
    if (!isLoaded || owner === void 0) return;
    const late = [];
    for (const row of claimed.splice(0).sort((a, b) => a.at - b.at)) {
      rows.set(row.id, row);
      if (row.user !== owner || !Array.isArray(row.changes)) drop(row.id);
      else if (isTooOld(row)) late.push(row);
      else replay(row);
    }
    if (late.length) list([...stale, ...late]);
  };
  const replay = ({ id, changes, madeAt, expiresAt }) => engine.transact(changes, { id, madeAt, ...expiresAt && { expiresAt } });
  const age = (row) => Math.abs(engine.env.wall() - row.at);
  const isTooOld = (row) => !row.expiresAt && !row.again && age(row) > tooOld;
  const list = (mutations) => {
    stale = mutations.map(({ id, changes, madeAt }) => ({ id, changes, madeAt }));
    listeners.tell();
  };
  const isListed = (id) => stale.some((m) => m.id === id);
  const unlist = (id) => {
    if (!isListed(id)) return void 0;
    list(stale.filter((m) => m.id !== id));
    return rows.get(id);
  };
  const add = ({ id, changes, madeAt }, by) => {
    newest = Math.max(engine.env.wall(), newest + 1);
    const row = { id, tab, user: owner, at: newest, madeAt, changes, guards: by };
    rows.set(id, row);
    unkept.add(row);
    engine.env.afterPaint(() => {
      others.announce();
      queueMicrotask(() => unkept.delete(row) && rows.get(id) === row && put(row));
    });
    return row;
  };
  const sending = (m) => {
    const row = rows.get(m.id) ?? add(m, []);
    if (age(row) > old && m.sending === m.changes) m.sending = guarded(m.changes, row.guards);
    void put(Object.assign(row, { changes: m.sending, expiresAt: m.expiresAt })).then((kept) => row.isKept = !!kept);
  };
  const greeted = ({ user, epoch, rev }) => {
    const isOther = owner !== void 0 && owner !== user;
    if (isOther) {
      rows.clear();
      board.since = void 0;
      list([]);
    }
    owner = user;
    void keep(all, async (stores) => {
      const meta = await got(stores("meta").get(only));
      if (meta && meta.user !== user) clear(stores);
      if (meta?.user !== user || meta.epoch === epoch && meta.rev > rev) stores("meta").put({ user }, only);
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
  const forget = () => {
    const { view, entries } = engine;
    for (const id of [...entries.keys()]) engine.release(id, { verdict: refused("closed") });
    engine.apply(view.hello({ user: "", epoch: "", resumed: false }));
    engine.apply(view.ready(0));
    engine.restart();
  };
  const closed = (code) => {
    board.flush();
    if (code === notYours) {
      void keep(["entities", "meta"], (stores) => {
        stores("entities").clear();
        stores("meta").put({ user: owner }, only);
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
      if (!row) return void 0;
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
      db = void 0;
      list([]);
      engine.close();
      await emptied;
      const factory = from.indexedDB;
      const names = (await factory?.databases?.())?.map((found) => found.name) ?? (factory ? [name] : []);
      const ours = names.filter((found) => found.startsWith(prefix));
      await Promise.all(ours.map((found) => within(patience.all, got(factory.deleteDatabase(found)))));
    },
    attach(to) {
      const another = engine && new Error("offline: one for each store");
      if (signal.aborted) return fail(another);
      if (another) throw another;
      engine = to;
      tab = engine.ulid();
      prefix = `snapback:${engine.servers.map(String).sort()[0]}`;
      name = prefix + encodeURIComponent(engine.options.board) + (engine.options.part ? `?${engine.options.part}` : "");
      owner ??= engine.options.user;
      noteEffects(engine.view);
      others = tabs(`${name}#`, tab, from, signal, adopt);
      board = confirmed(engine, () => ({ db, owner }), (e) => (e || error) && fail(e));
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
        closed
      });
      return within(patience.all, load()).catch(giveUp).then(done);
    }
  };
}
export {
  offline
};
