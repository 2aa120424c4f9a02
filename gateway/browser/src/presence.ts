// Who else is on the board, and what they say of themselves: passing, never logged.

import { Listeners } from "./core.js";
import type { Hooks } from "./engine.js";
import type { Json } from "./entities.js";
import type { PresenceFrame } from "./frames.js";
import type { Store } from "./store.js";
import type { Unsubscribe } from "./types.js";

const LIMIT = 1024; // bytes of JSON
const INTERVAL = 100; // milliseconds between two frames

/** What a session may say of itself: T, if that is JSON, an interface too; what is undefined is left out. */
export type Saying<T> = Json | { readonly [K in keyof T]: Said<T[K]> };
type Said<T> = T extends Json | undefined ? T
  : T extends bigint | symbol | Date | ((...args: never) => unknown) ? never
  : { readonly [K in keyof T]: Said<T[K]> };

/** Another session on the board: the same person may have several. The same object comes back until it says something else. */
export interface Peer<T = Json> {
  readonly session: string;
  readonly user: string;
  readonly name: string | undefined;
  readonly picture: string | undefined;
  /** As it was sent; that it is a T is a promise between your own pages. */
  readonly data: T;
}

export interface Presence<T = Json> {
  /**
   * Tells the others something passing (where your cursor is), at most 1 KiB of JSON. Later data replaces earlier, ten
   * times a second at most; every new connection is told again. `null` or `undefined` leaves.
   */
  set(data: T | null | undefined): void;
  /** Everybody else who has said something, by session; the same array until that changes. Empty while not connected. */
  readonly others: readonly Peer<T>[];
  subscribe(fn: (others: readonly Peer<T>[]) => void): Unsubscribe;
  /** Leaves, and hears no more. */
  close(): void;
}

/**
 * Presence on the store's board. Make it beside the store: others are told of when they say something. One for each store
 * is enough, and two would speak over each other.
 */
export function presence<T extends Saying<T> = Json>(store: Store): Presence<T> {
  const { engine } = store;
  const { env } = engine;
  let listeners = new Listeners<[readonly Peer<T>[]]>();
  const mine = new Set<string>(); // the sessions we have been: the server may not have noticed yet that they ended
  let others: readonly Peer<T>[] = [];
  let wanted = "null"; // JSON
  let told = "null"; // what this connection was told last
  let timer: unknown; // runs while the interval does

  const show = (next: readonly Peer<T>[]) => {
    if (next === others || !(next.length + others.length)) return;
    others = next;
    listeners.tell(others);
  };

  const tell = () => {
    if (timer !== undefined || wanted === told) return;
    if (!engine.send({ type: "presence", data: JSON.parse(wanted) as Json })) return;
    told = wanted;
    timer = env.setTimeout(() => {
      timer = undefined;
      tell();
    }, INTERVAL);
  };

  const anew = () => {
    env.clearTimeout(timer);
    timer = undefined;
    told = "null";
  };

  const hear = ({ session, user, name, picture, data }: PresenceFrame) => {
    if (mine.has(session)) return;
    const from = others.findIndex((p) => p.session >= session);
    const at = from < 0 ? others.length : from;
    const was = others[at]?.session === session ? others[at] : undefined;
    const next = others.slice();
    if (data == null) {
      if (!was) return;
      next.splice(at, 1);
    } else {
      const peer = { session, user, name, picture, data: data as T };
      if (was && JSON.stringify(was) === JSON.stringify(peer)) return;
      next.splice(at, was ? 1 : 0, peer);
    }
    show(next);
  };

  const hooks: Hooks = {
    greeted: (hello) => void mine.add(hello.session),
    live() {
      anew();
      tell();
    },
    gone() {
      anew();
      show([]);
    },
    lagging: () => show([]),
    presence: hear,
    closed: () => end(),
  };

  const end = () => {
    engine.hooks.delete(hooks);
    anew();
    show([]);
    listeners = new Listeners();
  };

  engine.hooks.add(hooks);
  if (store.me) mine.add(store.me.session);
  if (store.status === "live") engine.said.forEach(hear);

  return {
    set(data) {
      const text = JSON.stringify(data ?? null);
      const bytes = new TextEncoder().encode(text).length;
      if (bytes > LIMIT) throw new RangeError(`presence: ${bytes} bytes of JSON, the limit is ${LIMIT}`);
      wanted = text;
      tell();
    },
    get others() {
      return others;
    },
    subscribe: (fn) => listeners.add(fn),
    close() {
      if (told !== "null") engine.send({ type: "presence", data: null });
      end();
    },
  };
}
