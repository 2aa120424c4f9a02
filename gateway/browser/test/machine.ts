// One machine for the tests of offline: its IndexedDB and Web Locks, and tabs that come, crash and are closed.

import { IDBFactory } from "fake-indexeddb";
import { offline, type Offline, type OfflineOptions } from "../src/offline.js";
import { connect, type Store } from "../src/store.js";
import type { Options } from "../src/types.js";
import type { Row } from "../src/database.js";
import type { Entity } from "../src/entities.js";
import { World } from "./world.js";

interface Request {
  readonly tab: object;
  readonly run: () => void;
}

/** The Web Locks of an origin. Each name has a queue; its head holds the lock. */
export class Locks {
  #queues = new Map<string, Request[]>();
  #dead = new Set<object>();

  /** What one tab sees of them. */
  of(tab: object): LockManager {
    const request = (name: string, ...rest: unknown[]) => {
      const body = rest.pop() as () => unknown;
      const signal = (rest[0] as LockOptions | undefined)?.signal;
      return new Promise((done, failed) => {
        if (signal?.aborted) return failed(signal.reason);
        if (this.#dead.has(tab)) return;
        let over = false;
        const queue = this.#queues.get(name) ?? [];
        this.#queues.set(name, queue);
        const end = () => this.#remove(name, one);
        const one: Request = {
          tab,
          run: () => {
            over = true;
            Promise.resolve().then(body).then(done, failed).finally(end);
          },
        };
        signal?.addEventListener("abort", () => {
          if (over) return;
          end();
          failed(signal.reason as Error);
        });
        if (queue.push(one) === 1) queueMicrotask(one.run);
      });
    };
    return { request } as unknown as LockManager;
  }

  #remove(name: string, one: Request): void {
    const queue = this.#queues.get(name)!;
    const i = queue.indexOf(one);
    if (i < 0) return;
    queue.splice(i, 1);
    if (i === 0 && queue[0]) queueMicrotask(queue[0].run);
  }

  /** A tab is gone: its locks are free, and what it waited for it does not get. */
  drop(tab: object): void {
    this.#dead.add(tab);
    for (const [name, queue] of this.#queues) {
      for (const one of queue.filter((r) => r.tab === tab)) this.#remove(name, one);
    }
  }
}

/** Lets everything go on that does not wait for time. */
export async function until(condition: () => boolean, what = String(condition)): Promise<void> {
  for (let i = 0; i < 3000; i++) {
    if (condition()) return;
    await new Promise((next) => setImmediate(next));
  }
  throw new Error(`never came: ${what}`);
}

/** Long enough for any transaction that is under way. */
export async function calm(ticks = 60): Promise<void> {
  for (let i = 0; i < ticks; i++) await new Promise((next) => setImmediate(next));
}

export class Tab {
  readonly world = new World();
  readonly offline: Offline;
  readonly store: Store;
  readonly rollbacks: string[] = [];
  #txs: IDBTransaction[] = [];
  #dbs: IDBDatabase[] = [];
  #channels: BroadcastChannel[] = [];
  #dead = false;

  constructor(readonly machine: Machine, options: Partial<Options> = {}, more: OfflineOptions = {}) {
    this.world.offset += machine.elapsed;
    this.offline = offline({
      ...more,
      surroundings: {
        indexedDB: this.#factory(), locks: machine.locks.of(this), BroadcastChannel: this.#channel(), ...more.surroundings,
      },
    });
    this.store = connect({ board: "b", url: "http://h.test", env: this.world.env, offline: this.offline, ...options });
    this.store.onRollback((_, why) => this.rollbacks.push(why.code));
    machine.tabs.push(this);
  }

  #factory(): IDBFactory {
    const open = (name: string, version: number) => {
      const request = this.machine.factory.open(name, version);
      request.addEventListener("success", () => {
        const db = request.result;
        this.#dbs.push(db);
        if (this.#dead) return this.#kill(db);
        const begin = db.transaction.bind(db);
        db.transaction = (...args) => {
          const tx = begin(...args);
          this.#txs.push(tx);
          this.machine.spoil?.(tx);
          return tx;
        };
      });
      return request;
    };
    const { factory } = this.machine;
    const deleteDatabase = factory.deleteDatabase.bind(factory);
    return { open, deleteDatabase, databases: factory.databases.bind(factory) } as IDBFactory;
  }

  #channel(): typeof BroadcastChannel {
    const channels = this.#channels;
    return class extends BroadcastChannel {
      constructor(name: string) {
        super(name);
        channels.push(this);
        (this as unknown as { unref(): void }).unref();
      }
    };
  }

  /** Ready, joined at rev with these entities, and what follows from it stored. */
  async join(entities: object[] = [], rev = 10, hello: object = {}): Promise<void> {
    await until(() => this.world.sockets.length > 0, "a connection");
    await this.world.join(entities, rev, hello);
    await this.stored();
  }

  /** Time for the confirmed state to be written. */
  async stored(): Promise<void> {
    await this.world.advance(300);
    await calm();
  }

  get ids(): string[] {
    return this.store.inspect().pending.map(({ id }) => id);
  }

  #kill(db: IDBDatabase): void {
    db.transaction = () => {
      throw new Error("crashed");
    };
    db.close();
  }

  /** Gone without a word: what is under way is undone, locks are free. */
  crash(): void {
    this.#dead = true;
    for (const tx of this.#txs) {
      try {
        tx.abort();
      } catch {
        // committed
      }
    }
    for (const db of this.#dbs) this.#kill(db);
    for (const channel of this.#channels) channel.close();
    this.machine.locks.drop(this);
  }
}

export class Machine {
  readonly factory = new IDBFactory();
  readonly locks = new Locks();
  readonly tabs: Tab[] = [];
  /** Milliseconds that passed before the next tab opens. */
  elapsed = 0;
  /** Does something to every transaction that begins. */
  spoil: ((tx: IDBTransaction) => void) | undefined;

  tab(options?: Partial<Options>, more?: OfflineOptions): Tab {
    return new Tab(this, options, more);
  }

  /** A tab whose stored state is shown, not connected yet. */
  async loaded(options?: Partial<Options>, more?: OfflineOptions): Promise<Tab> {
    const tab = this.tab(options, more);
    let ready = false;
    void tab.offline.ready.then(() => (ready = true));
    await calm(100); // dead tabs are taken over by then
    await tab.world.advance(150); // other tabs' locks are waited for that long
    await until(() => ready, "ready");
    return tab;
  }

  end(): void {
    for (const tab of this.tabs) tab.crash();
  }

  /** What is stored of board b. */
  async stored(name = "snapback:http://h.test/b"): Promise<Stored> {
    const db = await new Promise<IDBDatabase>((done) => {
      const request = this.factory.open(name);
      request.onsuccess = () => done(request.result);
    });
    const read = <T>(store: string) =>
      new Promise<T[]>((done) => {
        if (!db.objectStoreNames.contains(store)) return done([]);
        const request = db.transaction(store).objectStore(store).getAll();
        request.onsuccess = () => done(request.result as T[]);
      });
    const [[meta], entities, pending] = await Promise.all([
      read<Stored["meta"]>("meta"), read<Entity>("entities"), read<Row>("pending"),
    ]);
    db.close();
    return { meta, entities, pending };
  }
}

export interface Stored {
  readonly meta: { user: string; epoch?: string; rev?: number } | undefined;
  readonly entities: Entity[];
  readonly pending: Row[];
}
