// Writes the confirmed board into its database as it moves on.

import { all, got, type Meta, only, run } from "./database.js";
import type { Engine } from "./engine.js";
import type { ResumePoint } from "./view.js";

/** Milliseconds that the confirmed state waits for company before it is written; the second after a write has failed. */
const pause = { usual: 250, failed: 60_000 };

export interface Confirmed {
  /** What is not written yet came after this. A stored state that does not go as far can not be added to. */
  since: ResumePoint | undefined;
  moved(ids: readonly string[]): void;
  /** A mutation took effect: its row goes when that is written, so that one of the two is there whenever the page ends. */
  settled(id: string): void;
  /** Writes at once; nothing if all is written, or nothing is kept. */
  flush(): void;
}

/** `kept` gives the database, while there is one, and whose it is; `told` hears of every write, with an error if it failed. */
export function confirmed(
  { env, view }: Engine,
  kept: () => { readonly db: IDBDatabase | undefined; readonly owner: string | undefined },
  told: (error?: unknown) => void,
): Confirmed {
  let dirty = new Set<string>();
  const over: string[] = []; // what took effect
  let isPlanned = false;
  let isWriting = false;

  const plan = (ms: number) => {
    if (isPlanned) return;
    isPlanned = true;
    env.setTimeout(() => {
      isPlanned = false;
      self.flush();
    }, ms);
  };

  /**
   * Writes what has changed since the last time, or everything if the stored state is not one that this can be added to:
   * never written, of another epoch, or older, as after a write that failed. A tab that is ahead has written it already.
   */
  const write = (db: IDBDatabase) =>
    run(db, all, async (stores) => {
      const meta = (await got(stores("meta").get(only))) as Meta | undefined;
      // From here on nothing is awaited: all that is written is of one rev.
      const at = view.resume;
      if (!at || !meta || meta.user !== kept().owner) return; // or another user has signed in, in another tab
      const { since } = self;
      const ids = dirty;
      self.since = at;
      dirty = new Set();
      for (const id of over.splice(0)) stores("pending").delete(id);
      const isSame = meta.epoch === at.epoch;
      if (isSame && meta.rev! > at.rev) return;
      const entities = stores("entities");
      if (isSame && since?.epoch === at.epoch && meta.rev! >= since.rev) {
        for (const id of ids) {
          const entity = view.confirmed(id);
          if (entity) entities.put(entity);
          else entities.delete(id);
        }
      } else {
        entities.clear();
        for (const entity of view.allConfirmed()) entities.put(entity);
      }
      stores("meta").put({ user: meta.user, ...at }, only);
    });

  const self: Confirmed = {
    since: undefined,
    moved(ids) {
      for (const id of ids) dirty.add(id);
      plan(pause.usual);
    },
    settled(id) {
      if (kept().db) over.push(id);
      plan(pause.usual);
    },
    flush() {
      const { db } = kept();
      if (!db || !(dirty.size + over.length) || isWriting) return;
      isWriting = true;
      const before = dirty;
      write(db).then(
        () => {
          isWriting = false;
          if (dirty !== before && dirty.size + over.length) plan(pause.usual);
          told();
        },
        (e: unknown) => {
          isWriting = false;
          plan(pause.failed);
          told(e);
        },
      );
    },
  };
  return self;
}
