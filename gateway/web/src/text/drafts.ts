// Unfinished texts, kept over reloads and crashes.
//
//   typing ─ after a moment ─> localStorage      one entry for each text, by board, user, and what it is a text of
//   sent   ─ marked with the mutation            the entry stays until its verdict
//   ack    ─ gone;  refusal ─ unfinished again
//
// This page's texts are in memory first: a browser that stores nothing still has them until it is left. Two windows of a
// user share the entries; where both type, the one that types last has the entry, and the other's words are displaced.

import { signal, type ReadonlySignal, type Signal } from "@preact/signals";

export interface Draft {
  readonly text: string;
  /** The text it was begun upon; "" if there was none. */
  readonly from: string;
  /** When it was last typed at, in milliseconds since 1970. */
  readonly at: number;
  /** The mutation that carries it, which has no verdict yet. */
  readonly sent?: string;
}

export type DraftStorage = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;

/** How long typing rests before it is written, in milliseconds. */
const rest = 300;
/** As many are kept, of all boards and users together; the oldest give way. */
const most = 100;
/** In UTF-16 units. What is longer than four descriptions may be is kept in memory only. */
export const longestDraft = 4 * 65536;

const root = "snapback.draft/";

export interface Drafts {
  get(key: string): Draft | undefined;
  /** The same signal for the same key. */
  of(key: string): ReadonlySignal<Draft | undefined>;
  keys(): readonly string[];
  set(key: string, text: string, from: string): void;
  /** It is on its way in that mutation; undefined: it is not any more, and unfinished again. */
  send(key: string, mutation: string | undefined): void;
  clear(key: string): void;
  /** Writes now what is not written yet. */
  flush(): void;
  /** Whoever typed signs out: nothing of it is kept, here or stored, and nothing more is taken. */
  forget(): void;
  close(): void;
}

/** The entity that a draft is a text of, or that it is to be added to: "card" of `card/title`, `comment-card`, `add-card/column`. */
export function placeOf(key: string): string | undefined {
  const [name = ""] = key.split("#");
  const [, place] = /^(?:(?:comment|checklist|items)-|add-card\/)([^/]+)$/.exec(name) ?? [];
  return place ?? /^([^/]+)\//.exec(name)?.[1];
}

export interface DraftsOptions {
  readonly board: string;
  readonly user: string;
  readonly storage: DraftStorage | undefined;
  now?(): number;
  /** Has words that another window typed kept elsewhere, or those of this one that is left: the entry has the others. */
  displaced?(key: string, draft: Draft): void;
  /** Does fn when what was sent is painted; at once by default. */
  afterPaint?(fn: () => void): void;
}

const parse = (value: string | null): Draft | undefined => {
  try {
    const { text, from, at, sent } = JSON.parse(value ?? "null") as { [name: string]: unknown };
    if (typeof text !== "string" || typeof from !== "string" || typeof at !== "number") return undefined;
    return { text, from, at, ...(typeof sent === "string" && { sent }) };
  } catch {
    return undefined;
  }
};

/** The entries of a storage with the prefix. */
function* entriesOf(storage: DraftStorage, prefix: string): Generator<[string, Draft | undefined]> {
  const names = Array.from({ length: storage.length }, (_, i) => storage.key(i));
  for (const name of names) if (name?.startsWith(prefix)) yield [name, parse(storage.getItem(name))];
}

/** Makes room: the oldest goes, but none that is on its way or is `spared`. False if there is nothing that may go. */
function dropOldest(storage: DraftStorage, spared: string): boolean {
  let oldest: [string, number] | undefined;
  for (const [name, draft] of entriesOf(storage, root)) {
    if (name === spared || draft?.sent) continue;
    if (!oldest || (draft?.at ?? 0) < oldest[1]) oldest = [name, draft?.at ?? 0];
  }
  if (oldest) storage.removeItem(oldest[0]);
  return !!oldest;
}

function write(storage: DraftStorage, name: string, draft: Draft): void {
  if (storage.getItem(name) === null) {
    for (let count = [...entriesOf(storage, root)].length; count >= most && dropOldest(storage, name); ) count--;
  }
  for (let tries = most; tries > 0; tries--) {
    try {
      return storage.setItem(name, JSON.stringify(draft));
    } catch {
      if (!dropOldest(storage, name)) return; // in memory it is
    }
  }
}

export function draftsOf({ board, user, storage, now = Date.now, displaced, afterPaint = (fn) => fn() }: DraftsOptions): Drafts {
  const prefix = `${root}${encodeURIComponent(board)}/${encodeURIComponent(user)}/`;
  const texts = new Map<string, Draft>();
  const signals = new Map<string, Signal<Draft | undefined>>();
  const unwritten = new Set<string>();
  const typed = new Set<string>(); // here, and not sent
  const known = new Map<string, string>(); // the entries' texts as they were seen last
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isOver = false;

  const guarded = <T>(fn: (storage: DraftStorage) => T): T | undefined => {
    try {
      return storage && fn(storage);
    } catch {
      return undefined; // a browser that lets nothing be stored
    }
  };

  const put = (key: string, draft: Draft | undefined) => {
    if (draft) texts.set(key, draft);
    else texts.delete(key);
    const shown = signals.get(key);
    if (shown) shown.value = draft;
  };

  const entry = (key: string) => guarded((s) => parse(s.getItem(prefix + key)));

  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    for (const key of unwritten) {
      const draft = texts.get(key);
      const there = entry(key);
      if (draft && there && there.sent === undefined && there.text !== known.get(key) && there.text !== draft.text) displaced?.(key, there);
      if (draft) known.set(key, draft.text);
      if (draft && draft.text.length <= longestDraft) guarded((s) => write(s, prefix + key, draft));
      else guarded((s) => s.removeItem(prefix + key));
    }
    unwritten.clear();
  };

  const take = (key: string, draft: Draft | undefined) => {
    if (draft) known.set(key, draft.text);
    put(key, draft);
  };

  const later = (key: string) => {
    unwritten.add(key);
    timer ??= setTimeout(flush, rest);
  };

  guarded((s) => {
    for (const [name, draft] of entriesOf(s, prefix)) if (draft) take(name.slice(prefix.length), draft);
  });

  /** What another window writes, unless it is being typed here. */
  const heard = ({ key: name, newValue }: StorageEvent) => {
    const key = name?.startsWith(prefix) ? name.slice(prefix.length) : undefined;
    if (key !== undefined && !typed.has(key)) take(key, parse(newValue));
  };
  /** The page is left: what was typed here is not only in memory. */
  const leave = () => {
    const apart = [...typed].filter((key) => !unwritten.has(key) && entry(key)?.text !== texts.get(key)?.text);
    for (const key of apart) {
      if (entry(key)) displaced?.(key, texts.get(key)!);
      else unwritten.add(key);
    }
    flush();
  };
  globalThis.addEventListener?.("storage", heard);
  globalThis.addEventListener?.("pagehide", leave);

  return {
    get: (key) => texts.get(key),
    of(key) {
      let shown = signals.get(key);
      if (!shown) signals.set(key, (shown = signal(texts.get(key))));
      return shown;
    },
    keys: () => [...texts.keys()],
    set(key, text, from) {
      if (isOver) return;
      put(key, { text, from, at: now() });
      typed.add(key);
      later(key);
    },
    send(key, sent) {
      const draft = texts.get(key);
      if (!draft) return;
      const { text, from, at } = draft;
      put(key, { text, from, at, ...(sent !== undefined && { sent }) });
      if (sent !== undefined) typed.delete(key);
      unwritten.add(key);
      afterPaint(flush);
    },
    clear(key) {
      if (!texts.has(key)) return;
      const isOther = typed.delete(key) && !unwritten.has(key) && entry(key)?.text !== known.get(key); // it is another window's
      put(key, undefined);
      if (!isOther) unwritten.add(key);
      flush();
    },
    flush,
    forget() {
      isOver = true;
      clearTimeout(timer);
      for (const key of texts.keys()) guarded((s) => s.removeItem(prefix + key));
      for (const kept of [texts, typed, unwritten, known]) kept.clear();
    },
    close() {
      leave();
      globalThis.removeEventListener?.("storage", heard);
      globalThis.removeEventListener?.("pagehide", leave);
    },
  };
}
