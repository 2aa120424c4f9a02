// One board in IndexedDB: what is confirmed, up to where it goes, and what is pending.

import type { Change } from "./entities.js";
import type { Guard } from "./guards.js";

/** Whose board it is and, once something is confirmed, where a connection resumes. */
export interface Meta {
  readonly user: string;
  readonly epoch?: string;
  /** The entities hold everything up to this rev, and may hold more; a connection that resumes here misses nothing. */
  readonly rev?: number;
}

/** A pending mutation. */
export interface Row {
  readonly id: string;
  /** Who sends it. */
  tab: string;
  /** Who made it; undefined as long as the server has not said. */
  user: string | undefined;
  /** When it was made by this machine's clock, in milliseconds since 1970; strictly growing within a tab. */
  readonly at: number;
  /** The same by the server's clock. */
  readonly madeAt: number;
  /** From the first sending on exactly as they were sent: the same id with other content is refused. */
  changes: readonly Change[];
  readonly guards: readonly Guard[];
  /** Set before the first frame is written. */
  expiresAt?: string | undefined;
  /** The deadline is there. */
  isKept?: boolean;
  /** It was stale, and the user wants it sent. */
  again?: boolean;
}

export type Name = "entities" | "meta" | "pending";
export const all: readonly Name[] = ["entities", "meta", "pending"];
/** The only key of `meta`. */
export const only = 0;

type Stores = (name: Name) => IDBObjectStore;

export const got = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((done, failed) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });

export function open(factory: IDBFactory, name: string): Promise<IDBDatabase> {
  const request = factory.open(name, 1);
  request.onupgradeneeded = () => {
    for (const store of all) request.result.createObjectStore(store, store === "meta" ? {} : { keyPath: "id" });
  };
  return got(request);
}

/**
 * One transaction, all or nothing; it is in line when the call returns. The body may await requests of its own, and nothing
 * else. Resolves when it is committed.
 */
export async function run<T>(db: IDBDatabase, names: readonly Name[], body: (stores: Stores) => T | Promise<T>): Promise<T> {
  const tx = db.transaction(names, "readwrite");
  const done = new Promise<void>((committed, failed) => {
    tx.oncomplete = () => committed();
    tx.onabort = () => failed(tx.error);
  });
  done.catch(() => {}); // thrown below, unless the body throws first
  try {
    const result = await body((name) => tx.objectStore(name));
    await done;
    return result;
  } catch (e) {
    try {
      tx.abort();
    } catch {
      // it is over already
    }
    throw e;
  }
}

export const clear = (stores: Stores): void => all.forEach((name) => stores(name).clear());
