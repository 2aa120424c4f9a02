"use client";
import {
  createContext,
  createElement,
  useContext,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore
} from "react";
import { presence } from "./presence.js";
import { connect } from "./store.js";
const Current = createContext(void 0);
const nothing = [];
const useBrowserEffect = typeof document === "undefined" ? useEffect : useLayoutEffect;
function BoardProvider(props) {
  const { store, children } = props;
  if (!store) return createElement(Connected, props);
  presenceOf(store);
  return createElement(Current.Provider, { value: store }, children);
}
function Connected({ options, children, fallback }) {
  const [store, setStore] = useState();
  const held = useRef(void 0);
  const { board, url, user, token } = options;
  const newest = useRef(token);
  const key = JSON.stringify([board, url && String(url), user]);
  useBrowserEffect(() => {
    let mine = held.current;
    if (mine?.key !== key || mine.store.status === "closed") {
      const ask = async () => typeof newest.current === "function" ? newest.current() : newest.current ?? "";
      mine = { store: connect({ ...options, token: ask }), wanted: true, key };
    }
    const it = held.current = mine;
    it.wanted = true;
    presenceOf(it.store);
    setStore(it.store);
    return () => {
      it.wanted = false;
      queueMicrotask(() => it.wanted || it.store.close());
    };
  }, [key]);
  useEffect(() => {
    const changed = newest.current !== token;
    newest.current = token;
    if (changed && typeof token === "string") held.current?.store.authenticate(token);
  }, [token]);
  return store ? createElement(Current.Provider, { value: store }, children) : fallback;
}
function useBoardStore() {
  const store = useContext(Current);
  if (!store) throw new Error("no BoardProvider above");
  return store;
}
function kept(read) {
  let last;
  return () => {
    const next = read();
    const was = last;
    if (was && Object.keys(next).every((k) => Object.is(next[k], was[k]))) return was;
    return last = next;
  };
}
function selected(read, select) {
  if (!select) return read;
  let last;
  return () => {
    const from = read();
    if (!last || !Object.is(last.from, from)) last = { from, value: select(from) };
    return last.value;
  };
}
function useBoard() {
  const store = useBoardStore();
  const [subscribe, read, onServer] = useMemo(() => {
    const read2 = kept(() => ({
      store,
      status: store.status,
      closeCode: store.closeCode,
      me: store.me,
      board: store.list("board")[0]
    }));
    const server = { store, status: "connecting", closeCode: void 0, me: void 0, board: void 0 };
    const subscribe2 = (fn) => {
      const ends = [store.onStatus(fn), store.subscribe(fn)];
      return () => ends.forEach((end) => end());
    };
    return [subscribe2, read2, () => server];
  }, [store]);
  return useSyncExternalStore(subscribe, read, onServer);
}
function useEntity(id, select) {
  const store = useBoardStore();
  const subscribe = useMemo(() => (fn) => store.subscribe(id, fn), [store, id]);
  const read = useMemo(() => selected(() => store.get(id), select), [store, id, select]);
  const onServer = useMemo(() => selected(() => void 0, select), [select]);
  return useSyncExternalStore(subscribe, read, onServer);
}
function useChildren(parentId, kind, select) {
  const read = (store) => kind ? store.children(parentId, kind) : store.children(parentId);
  return useArray(read, `${kind} ${parentId}`, select);
}
function useList(kind, select) {
  return useArray((store) => store.list(kind), kind, select);
}
function useArray(of, key, select) {
  const store = useBoardStore();
  const subscribe = useMemo(() => (fn) => store.subscribe(fn), [store]);
  const read = useMemo(() => selected(() => of(store), select), [store, key, select]);
  const onServer = useMemo(() => selected(() => nothing, select), [select]);
  return useSyncExternalStore(subscribe, read, onServer);
}
function useMutation() {
  const store = useBoardStore();
  const [{ count, last, error }, set] = useState(
    { count: 0, last: "idle" }
  );
  const functions = useMemo(() => {
    const follow = (sent) => {
      set(({ count: count2, last: last2 }) => ({ count: count2 + 1, last: last2 }));
      void sent.then((v) => set(({ count: count2, error: error2 }) => v.ok ? { count: count2 - 1, last: error2 ? "error" : "success", ...error2 && { error: error2 } } : { count: count2 - 1, last: "error", error: v }));
      return sent;
    };
    return {
      mutate: (id, patch, only) => follow(store.mutate(id, patch, only)),
      create: (kind, patch) => follow(store.create(kind, patch)),
      remove: (id, only) => follow(store.remove(id, only)),
      transact: (changes) => follow(store.transact(changes)),
      reset: () => set(({ count: count2 }) => ({ count: count2, last: "idle" }))
    };
  }, [store]);
  const status = count ? "pending" : last;
  return { ...functions, status, isPending: count > 0, isError: status === "error", error };
}
function usePending(id) {
  const store = useBoardStore();
  const subscribe = useMemo(() => (fn) => watchPending(store, id, fn), [store, id]);
  return useSyncExternalStore(subscribe, () => store.pending(id), () => false);
}
function watchPending(store, id, fn) {
  const { hooks } = store.engine;
  const own = { made: () => fn(), concluded: () => fn() };
  hooks.add(own);
  const end = store.subscribe(id, fn);
  return () => {
    end();
    hooks.delete(own);
  };
}
const presences = /* @__PURE__ */ new WeakMap();
function presenceOf(store) {
  let one = presences.get(store);
  if (!one) presences.set(store, one = presence(store));
  return one;
}
function usePresence() {
  const one = presenceOf(useBoardStore());
  const others = useSyncExternalStore(one.subscribe, () => one.others, () => nothing);
  return { others, set: one.set };
}
export {
  BoardProvider,
  useBoard,
  useBoardStore,
  useChildren,
  useEntity,
  useList,
  useMutation,
  usePending,
  usePresence
};
