"use client"; // tells frameworks with server components that this is none

// React: the store's views as hooks, on useSyncExternalStore.

import {
  createContext, createElement, useContext, useEffect, useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore,
  type ReactNode,
} from "react";

import type { Board, Change, Entity, EntityOf, Json, Kind, Patch } from "./entities.js";
import { presence, type Peer, type Presence, type Saying } from "./presence.js";
import { connect, type Store } from "./store.js";
import type { Me, Options, Preconditions, Refusal, Sent, Status, Unsubscribe } from "./types.js";

const Current = createContext<Store | undefined>(undefined);
const nothing: readonly never[] = [];
const useBrowserEffect = typeof document === "undefined" ? useEffect : useLayoutEffect; // before the first painting

export type BoardProviderProps =
  | {
      /** A store made by `connect`; whoever made it closes it. */
      readonly store: Store;
      readonly options?: never;
      readonly children?: ReactNode;
    }
  | {
      readonly store?: never;
      /**
       * Connects when mounted and closes when unmounted. Another board, url or user connects anew; a new token string is
       * sent on the live connection. Changes of the others do not count; `offline` must be another one for another board.
       */
      readonly options: Options;
      readonly children?: ReactNode;
      /** Shown while there is no store: on a server, and until the page has taken over. */
      readonly fallback?: ReactNode;
    };

/** Gives the components in it their board. */
export function BoardProvider(props: BoardProviderProps): ReactNode {
  const { store, children } = props;
  if (!store) return createElement(Connected, props);
  presenceOf(store);
  return createElement(Current.Provider, { value: store }, children);
}

function Connected({ options, children, fallback }: Extract<BoardProviderProps, { options: Options }>): ReactNode {
  const [store, setStore] = useState<Store>();
  const held = useRef<{ store: Store; wanted: boolean; key: string }>(undefined);
  const { board, url, user, token } = options;
  const newest = useRef(token);
  const key = JSON.stringify([board, url && String(url), user]);

  useBrowserEffect(() => {
    let mine = held.current;
    if (mine?.key !== key || mine.store.status === "closed") {
      const ask = async () => (typeof newest.current === "function" ? newest.current() : (newest.current ?? ""));
      mine = { store: connect({ ...options, token: ask }), wanted: true, key };
    }
    const it = (held.current = mine);
    it.wanted = true;
    presenceOf(it.store);
    setStore(it.store);
    return () => {
      it.wanted = false;
      // StrictMode unmounts and mounts again at once: the connection stays.
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

/** The store of the nearest {@link BoardProvider}. Does not cause a rendering when the board changes. */
export function useBoardStore(): Store {
  const store = useContext(Current);
  if (!store) throw new Error("no BoardProvider above");
  return store;
}

/** A value that comes back as the same object as long as its fields are the same. */
function kept<T extends object>(read: () => T): () => T {
  let last: T | undefined;
  return () => {
    const next = read();
    const was = last;
    if (was && (Object.keys(next) as (keyof T)[]).every((k) => Object.is(next[k], was[k]))) return was;
    return (last = next);
  };
}

/** select's value, asked again only when what it selects from has changed. */
function selected<A, B>(read: () => A, select: ((a: A) => B) | undefined): () => A | B {
  if (!select) return read;
  let last: { from: A; value: B } | undefined;
  return () => {
    const from = read();
    if (!last || !Object.is(last.from, from)) last = { from, value: select(from) };
    return last.value;
  };
}

/** What {@link useBoard} gives. */
export interface BoardState {
  readonly store: Store;
  readonly status: Status;
  /** Why it is closed for good. */
  readonly closeCode: number | undefined;
  /** Undefined until the server has said who you are. */
  readonly me: Me | undefined;
  /** The board itself; undefined until it is there for the first time. */
  readonly board: Board | undefined;
}

/** The board and how it stands to the server. */
export function useBoard(): BoardState {
  const store = useBoardStore();
  const [subscribe, read, onServer] = useMemo(() => {
    const read = kept<BoardState>(() => ({
      store, status: store.status, closeCode: store.closeCode, me: store.me, board: store.list("board")[0],
    }));
    const server: BoardState = { store, status: "connecting", closeCode: undefined, me: undefined, board: undefined };
    const subscribe = (fn: () => void) => {
      const ends = [store.onStatus(fn), store.subscribe(fn)];
      return () => ends.forEach((end) => end());
    };
    return [subscribe, read, () => server] as const;
  }, [store]);
  return useSyncExternalStore(subscribe, read, onServer);
}

/** An entity as shown, undefined if there is none: `useEntity<Card>(id)`. Renders when its view changes, and only then. */
export function useEntity<E extends Entity = EntityOf>(id: string): E | undefined;
/** What select takes of it. Renders when that changes. */
export function useEntity<E extends Entity, T>(id: string, select: (entity: E | undefined) => T): T;
export function useEntity<E extends Entity, T>(id: string, select?: (entity: E | undefined) => T): E | T | undefined {
  const store = useBoardStore();
  const subscribe = useMemo(() => (fn: () => void) => store.subscribe(id, fn), [store, id]);
  const read = useMemo(() => selected(() => store.get<E>(id), select), [store, id, select]);
  const onServer = useMemo(() => selected<E | undefined, T>(() => undefined, select), [select]);
  return useSyncExternalStore(subscribe, read, onServer);
}

/**
 * What stands under a parent ("" is the board), in order, archived ones included: `useChildren(column.id, "card")`. The
 * same array until one of them changes.
 */
export function useChildren<K extends Kind>(parentId: string, kind: K): readonly EntityOf<K>[];
export function useChildren<K extends Kind, T>(
  parentId: string, kind: K, select: (children: readonly EntityOf<K>[]) => T,
): T;
export function useChildren(parentId: string): readonly EntityOf[];
export function useChildren(parentId: string, kind?: Kind, select?: (all: readonly Entity[]) => unknown): unknown {
  const read = (store: Store) => (kind ? store.children(parentId, kind) : store.children(parentId));
  return useArray(read, `${kind} ${parentId}`, select);
}

/** All of a kind: `useList("column")`. The same array until one of them changes. */
export function useList<K extends Kind>(kind: K): readonly EntityOf<K>[];
export function useList<K extends Kind, T>(kind: K, select: (all: readonly EntityOf<K>[]) => T): T;
export function useList(kind: Kind, select?: (all: readonly never[]) => unknown): unknown {
  return useArray((store) => store.list(kind), kind, select as (all: readonly Entity[]) => unknown);
}

/** key says what read reads. */
function useArray(
  of: (store: Store) => readonly Entity[], key: string, select: ((all: readonly Entity[]) => unknown) | undefined,
): unknown {
  const store = useBoardStore();
  const subscribe = useMemo(() => (fn: () => void) => store.subscribe(fn), [store]);
  const read = useMemo(() => selected(() => of(store), select), [store, key, select]);
  const onServer = useMemo(() => selected<readonly Entity[], unknown>(() => nothing, select), [select]);
  return useSyncExternalStore(subscribe, read, onServer);
}

/** The functions are the same in every rendering, and their promises never reject: a refusal is a value. */
export interface Mutating {
  mutate(id: string, patch: Patch, only?: Preconditions): Sent;
  create(kind: Kind, patch: Patch): Sent;
  remove(id: string, only?: Preconditions): Sent;
  transact(changes: readonly Change[]): Sent;
  /** Forgets the error. */
  reset(): void;
}

/** What {@link useMutation} gives. */
export interface MutationState extends Mutating {
  /** Of what was made by this hook: nothing yet, something without a verdict, the newest verdict. */
  readonly status: "idle" | "pending" | "success" | "error";
  readonly isPending: boolean;
  readonly isError: boolean;
  /** The last refusal, until the next mutation by this hook, or `reset`. The view has taken the change back already. */
  readonly error: Refusal | undefined;
}

/** Changes entities, and says how that goes. What it changes is shown at once, everywhere. */
export function useMutation(): MutationState {
  const store = useBoardStore();
  const [{ count, last, error }, set] = useState<{ count: number; last: "idle" | "success" | "error"; error?: Refusal }>(
    { count: 0, last: "idle" },
  );
  const functions = useMemo((): Mutating => {
    const follow = (sent: Sent): Sent => {
      set(({ count, last }) => ({ count: count + 1, last }));
      void sent.then((v) => set(({ count, error }) => v.ok
        ? { count: count - 1, last: error ? "error" : "success", ...(error && { error }) }
        : { count: count - 1, last: "error", error: v }));
      return sent;
    };
    return {
      mutate: (id, patch, only) => follow(store.mutate(id, patch, only)),
      create: (kind, patch) => follow(store.create(kind, patch)),
      remove: (id, only) => follow(store.remove(id, only)),
      transact: (changes) => follow(store.transact(changes)),
      reset: () => set(({ count }) => ({ count, last: "idle" })),
    };
  }, [store]);
  const status = count ? "pending" : last;
  return { ...functions, status, isPending: count > 0, isError: status === "error", error };
}

/** Does a mutation that is shown and has no verdict concern the entity, whichever component made it? */
export function usePending(id: string): boolean {
  const store = useBoardStore();
  const subscribe = useMemo(() => (fn: () => void) => watchPending(store, id, fn), [store, id]);
  return useSyncExternalStore(subscribe, () => store.pending(id), () => false);
}

function watchPending(store: Store, id: string, fn: () => void): Unsubscribe {
  const { hooks } = store.engine;
  const own = { made: () => fn(), concluded: () => fn() };
  hooks.add(own);
  const end = store.subscribe(id, fn); // taken back on silence, it is pending no more
  return () => {
    end();
    hooks.delete(own);
  };
}

const presences = new WeakMap<Store, Presence<never>>();

/** Made with the provider, so that nobody is missed who was there before the first component asked. */
function presenceOf<T extends Saying<T>>(store: Store): Presence<T> {
  let one = presences.get(store) as Presence<T> | undefined;
  if (!one) presences.set(store, (one = presence<T>(store)) as Presence<never>);
  return one;
}

/** Who else is on the board, and a way to tell them something passing. All components share one {@link Presence}. */
export function usePresence<T extends Saying<T> = Json>(): {
  readonly others: readonly Peer<T>[];
  readonly set: Presence<T>["set"];
} {
  const one = presenceOf<T>(useBoardStore());
  const others = useSyncExternalStore(one.subscribe, () => one.others, () => nothing);
  return { others, set: one.set };
}
