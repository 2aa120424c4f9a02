// Vue: composables on shallow refs. The client's views are immutable and keep their identity, so nothing is made deeply
// reactive, and a component renders when what it shows has changed.

import type { Entity, EntityOf, Kind, Refusal, Sent, Status, Store } from "@snapback/client";
import {
  computed, inject, onScopeDispose, provide, ref, shallowRef, toValue, watch,
  type ComputedRef, type InjectionKey, type MaybeRefOrGetter, type ShallowRef,
} from "vue";

export const boardKey: InjectionKey<Store> = Symbol("board");

/** For the component that made the store: gives it to those in it, and closes it when it goes. */
export function provideBoard(store: Store): void {
  provide(boardKey, store);
  onScopeDispose(() => store.close());
}

export function useBoard(): Store {
  const store = inject(boardKey, undefined);
  if (!store) throw new Error("no provideBoard above");
  return store;
}

/** A ref that holds what read gives, read again whenever listen says so. */
function follow<T>(source: () => unknown, read: () => T, listen: (fn: () => void) => () => void): Readonly<ShallowRef<T>> {
  const value = shallowRef(read());
  watch(source, (_now, _before, onCleanup) => {
    const again = () => {
      value.value = read();
    };
    again();
    onCleanup(listen(again));
  }, { immediate: true, flush: "sync" });
  return value;
}

export function useStatus(): Readonly<ShallowRef<Status>> {
  const store = useBoard();
  return follow(() => store, () => store.status, (fn) => store.onStatus(fn));
}

/** An entity as shown: `useEntity<Card>(() => props.id)`. */
export function useEntity<E extends Entity = EntityOf>(id: MaybeRefOrGetter<string>): Readonly<ShallowRef<E | undefined>> {
  const store = useBoard();
  return follow(() => toValue(id), () => store.get<E>(toValue(id)), (fn) => store.subscribe(toValue(id), fn));
}

/** What stands under a parent, in order. */
export function useChildren<K extends Kind>(parentId: MaybeRefOrGetter<string>, kind: K): Readonly<ShallowRef<readonly EntityOf<K>[]>> {
  const store = useBoard();
  return follow(() => toValue(parentId), () => store.children(toValue(parentId), kind), (fn) => store.subscribe(fn));
}

/** All of a kind, in order. */
export function useList<K extends Kind>(kind: K): Readonly<ShallowRef<readonly EntityOf<K>[]>> {
  const store = useBoard();
  return follow(() => kind, () => store.list(kind), (fn) => store.subscribe(fn));
}

/** Does a change without a verdict concern the entity? */
export function usePending(id: MaybeRefOrGetter<string>): Readonly<ShallowRef<boolean>> {
  const store = useBoard();
  return follow(() => toValue(id), () => store.pending(toValue(id)), (fn) => {
    const ends = [store.subscribe(toValue(id), fn), store.onSettled(fn)];
    return () => ends.forEach((end) => end());
  });
}

/** Changes the board and says how that goes: `const { run, isPending, refusal } = useMutation()`. */
export function useMutation(): {
  /** `run((board) => board.mutate(id, { liked: true }))` */
  readonly run: (change: (board: Store) => Sent) => Sent;
  readonly isPending: ComputedRef<boolean>;
  /** The last refusal, until the next run. */
  readonly refusal: Readonly<ShallowRef<Refusal | undefined>>;
} {
  const store = useBoard();
  const count = ref(0);
  const refusal = shallowRef<Refusal>();
  const run = (change: (board: Store) => Sent) => {
    refusal.value = undefined;
    count.value++;
    const sent = change(store);
    void sent.then((verdict) => {
      count.value--;
      if (!verdict.ok) refusal.value = verdict;
    });
    return sent;
  };
  return { run, isPending: computed(() => count.value > 0), refusal };
}
