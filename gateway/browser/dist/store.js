import { createCore, Listeners } from "./core.js";
function connect(options) {
  const core = createCore(options);
  const { view, link, onEntity, entries, past, transact } = core;
  return {
    engine: core,
    ready: core.ready,
    get status() {
      return link.status;
    },
    get closeCode() {
      return link.closeCode;
    },
    get me() {
      return link.hello;
    },
    get rev() {
      return view.resume?.rev ?? 0;
    },
    get: view.get,
    list: view.list,
    children: view.children,
    confirmed: view.confirmed,
    pending: view.isPending,
    subscribe(first, fn) {
      if (typeof first !== "string") return core.onChange.add(first);
      const listeners = onEntity.get(first) ?? new Listeners();
      onEntity.set(first, listeners);
      const end = listeners.add(({ after, before }) => fn(after, before));
      return () => {
        end();
        if (!listeners.fns.size && onEntity.get(first) === listeners) onEntity.delete(first);
      };
    },
    onStatus: core.onStatus.add,
    onRollback: core.onRollback.add,
    onSettled: core.onSettled.add,
    mutate: (id, patch, only) => transact([{ ...only, entityId: id, patch }]),
    create: (kind, patch) => transact([{ entityId: core.ulid(), patch: { ...patch, kind }, ifRev: 0 }]),
    remove: (id, only) => transact([{ ...only, entityId: id, patch: null }]),
    transact: (changes) => transact(changes),
    newId: core.ulid,
    authenticate: (token) => void core.send({ type: "auth", token }),
    inspect: () => ({
      board: options.board,
      status: link.status,
      me: link.hello,
      epoch: view.resume?.epoch,
      rev: view.resume?.rev ?? 0,
      entities: [...view.all()].length,
      pending: [...entries.values()],
      verdicts: [...past],
      latencyMs: link.latency
    }),
    close: core.close
  };
}
export {
  connect
};
