import { browser } from "./env.js";
import { openLink } from "./link.js";
import { ulid } from "./ulid.js";
import { createView, refused } from "./view.js";
const usualTtl = 4e3;
const maxChanges = 100;
const verdictsKept = 50;
class Listeners {
  fns = /* @__PURE__ */ new Set();
  add = (fn) => {
    const own = (...args) => fn(...args);
    this.fns.add(own);
    return () => void this.fns.delete(own);
  };
  /** A listener that throws keeps nobody else from hearing. */
  tell(...args) {
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
function createCore(options) {
  void (options.env ?? WebSocket);
  if (!options.board) throw new TypeError("board: missing");
  const ttl = options.ttl ?? usualTtl;
  if (!(ttl >= 1e3 && ttl <= 6e4)) throw new RangeError("ttl: 1000 to 60000 ms");
  const env = { ...browser, ...options.env };
  const named = [options.url ?? globalThis.location?.origin].flat();
  const servers = [];
  do {
    const [url] = named.splice(env.random() * named.length, 1);
    servers.push(new URL("./", String(url).replace(/\/?$/, "/")));
  } while (named.length);
  const view = createView(options.user ?? "", !!options.rollbackOnSilence);
  const hooks = /* @__PURE__ */ new Set();
  const entries = /* @__PURE__ */ new Map();
  const said = /* @__PURE__ */ new Map();
  const past = [];
  const onChange = new Listeners();
  const onEntity = /* @__PURE__ */ new Map();
  const onStatus = new Listeners();
  const onRollback = new Listeners();
  const onSettled = new Listeners();
  let offset = env.wall() - env.monotonic();
  const notices = [];
  let depth = 0;
  let joined;
  const ready = new Promise((done) => joined = done);
  const now = () => env.monotonic() + offset;
  function run(fn) {
    depth++;
    try {
      fn();
    } finally {
      for (let next; depth === 1 && (next = notices.shift()); ) next();
      depth--;
    }
  }
  function transact(changes, how = {}) {
    const id = how.id ?? ulid(now());
    let settle;
    const sent = Object.assign(new Promise((done) => settle = done), {
      id,
      entityId: changes[0]?.entityId ?? "",
      cancel: () => cancel(id)
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
          return settle(refused("invalid", String(e), { field: "patch" }));
        }
        const pending = view.pending.at(-1);
        const entry = {
          id,
          pending,
          changes: pending.changes,
          sending: pending.changes,
          settle,
          madeAt: how.madeAt ?? now(),
          quiet: !!how.quiet,
          restored: !!how.id,
          state: how.held ? "held" : how.expiresAt ? "sent" : "queued",
          expiresAt: how.expiresAt,
          ask: false,
          withdrawn: false,
          owed: 0
        };
        entries.set(id, entry);
        tell("made", entry);
        apply(effects);
        env.afterPaint(link.tick);
      });
    }
    return sent;
  }
  function cancel(id) {
    const m = entries.get(id);
    if (!m) return;
    m.withdrawn = true;
    if (m.ask) return;
    run(() => {
      if (!link.cancel(m)) end(m, refused("withdrawn"));
      link.tick();
    });
  }
  function end(m, verdict) {
    apply(view.nack({ clientMutationId: m.id, ...verdict }));
  }
  function frame(m, limit) {
    if (!m.frame) {
      if (!m.expiresAt) {
        m.expiresAt = new Date(now() + ttl).toISOString();
        tell("sending", m);
      }
      const [only, more] = m.sending;
      m.frame = {
        type: "mutate",
        clientMutationId: m.id,
        expiresAt: m.expiresAt,
        ...more ? { changes: m.sending } : only
      };
      if (new TextEncoder().encode(JSON.stringify(m.frame)).length > limit) return void end(m, refused("too_large", "", { limit }));
    }
    if (m.state === "queued") m.state = "sent";
    return m.frame;
  }
  function apply({ changed, verdicts, confirmed }) {
    run(() => {
      if (confirmed.length) tell("confirmed", confirmed);
      if (changed.length) {
        notices.push(() => {
          onChange.tell(changed);
          for (const change of changed) onEntity.get(change.id)?.tell(change);
        });
      }
      for (const { pending, verdict } of verdicts) conclude(entries.get(pending.id), verdict);
    });
  }
  function conclude(m, verdict) {
    const { id, changes, madeAt } = m;
    entries.delete(id);
    link.landed(m);
    past.push({ id, changes, verdict, tookMs: now() - madeAt });
    if (past.length > verdictsKept) past.shift();
    tell("concluded", m, verdict);
    notices.push(() => {
      const wasTold = m.pending.hidden || m.withdrawn;
      if (!m.quiet) {
        if (!verdict.ok && !wasTold) onRollback.tell(m, verdict);
        onSettled.tell(m, verdict);
      }
      m.settle(verdict);
    });
  }
  function tell(what, ...args) {
    for (const part of [...hooks]) part[what]?.(...args);
    if (what === "live") joined(true);
  }
  const core = {
    options,
    env,
    servers,
    view,
    hooks,
    entries,
    said,
    past,
    ready,
    onChange,
    onEntity,
    onStatus,
    onRollback,
    onSettled,
    run,
    now,
    transact,
    cancel,
    frame,
    apply,
    tell,
    ulid: () => ulid(now()),
    hear(serverTime, isLate) {
      const ahead = Date.parse(serverTime) - now();
      if (isLate ? ahead > 0 : ahead) offset += ahead;
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
      run(() => link.close(1e3));
    },
    ended() {
      tell("closed", link.closeCode);
      joined(false);
      entries.forEach((m) => notices.push(() => m.settle(refused("closed"))));
    }
  };
  const link = openLink(core);
  core.link = link;
  Promise.resolve(options.offline?.attach(core)).then(link.start);
  return core;
}
export {
  Listeners,
  createCore
};
