// Files on their way to the server: a few at a time, in the order chosen, those made offline when there is a connection.
//
// A file is there when the server has stored all of it and decided so. What ended without a decision is tried again under
// the same mutation id, so that it can not be there twice; after a refusal the next try is another mutation.

import { signal, type ReadonlySignal, type Signal } from "@preact/signals";

/** Why an upload did not come to its end. */
export interface Failure {
  readonly code: string;
  readonly details: { readonly [name: string]: unknown };
}

/** One file on its way. */
export interface Upload {
  /** The id the file will have. */
  readonly id: string;
  readonly card: string | undefined;
  readonly name: string;
  readonly content: Blob;
  /** The mutation's id at this try. */
  mutation: string;
  /** stored: all is done, only the board has not told of it yet. */
  readonly state: Signal<"waiting" | "sending" | "stored" | "failed">;
  /** How much of it has left, in bytes. */
  readonly sent: Signal<number>;
  readonly failure: Signal<Failure | undefined>;
}

/** What uploads need of their surroundings. */
export interface Ways {
  newId(): string;
  /** Is there a connection? */
  live(): boolean;
  /** Sends it; `ended` is called once, without a failure if it is stored. Gives what breaks it off. */
  put(upload: Upload, progress: (bytes: number) => void, ended: (failure?: Failure) => void): () => void;
  /** Calls fn when the board has the file. */
  there(id: string, fn: () => void): void;
  failed?(upload: Upload, failure: Failure): void;
  stored?(upload: Upload): void;
}

export interface Uploads {
  /** In the order chosen. */
  readonly list: ReadonlySignal<readonly Upload[]>;
  add(files: readonly { readonly name: string; readonly content: Blob }[], card?: string): void;
  retry(id: string): void;
  cancel(id: string): void;
  /** There is a connection again. */
  live(): void;
}

/** How many are sent at once: the browser has six connections to a server, and the page needs some for itself. */
const atOnce = 3;

/** Codes that are no decision: under the same id it may still take effect, and then has that effect once. */
const open = new Set(["offline", "undecided", "unavailable", "rate_limited", "unauthorized"]);

/** Is there a point in trying again? */
export const canRetry = ({ code }: Failure): boolean => code !== "too_large" && code !== "unreadable" && code !== "invalid";

export function createUploads(ways: Ways): Uploads {
  const list = signal<readonly Upload[]>([]);
  const breaks = new Map<string, () => void>(); // of those being sent
  const find = (id: string) => list.value.find((u) => u.id === id);
  const drop = (id: string) => void (list.value = list.value.filter((u) => u.id !== id));

  function pump(): void {
    for (const upload of list.value) {
      if (breaks.size >= atOnce || !ways.live()) return;
      if (upload.state.value === "waiting") start(upload);
    }
  }

  function start(upload: Upload): void {
    const { id, state, sent, failure } = upload;
    sent.value = 0;
    failure.value = undefined;
    state.value = "sending";
    let over = false;
    const ended = (why?: Failure) => {
      if (over) return;
      over = true;
      breaks.delete(id);
      const wanted = find(id) === upload;
      if (wanted && why) fail(upload, why);
      else if (wanted) {
        state.value = "stored";
        ways.stored?.(upload);
        ways.there(id, () => drop(id));
      }
      pump();
    };
    breaks.set(id, () => {});
    const cut = ways.put(upload, (bytes) => (sent.value = bytes), ended);
    if (!over) breaks.set(id, cut);
  }

  function fail(upload: Upload, why: Failure): void {
    if (why.code === "offline" && !ways.live()) {
      upload.state.value = "waiting";
      return;
    }
    if (!open.has(why.code)) upload.mutation = ways.newId();
    upload.failure.value = why;
    upload.state.value = "failed";
    ways.failed?.(upload, why);
  }

  function again(upload: Upload): void {
    if (upload.state.value !== "failed") return;
    upload.failure.value = undefined;
    upload.state.value = "waiting";
    pump();
  }

  return {
    list,
    add(files, card) {
      list.value = [...list.value, ...files.map(({ name, content }): Upload => ({
        id: ways.newId(), mutation: ways.newId(), card, name, content,
        state: signal("waiting"), sent: signal(0), failure: signal(undefined),
      }))];
      pump();
    },
    retry(id) {
      const upload = find(id);
      if (upload) again(upload);
    },
    cancel(id) {
      const cut = breaks.get(id);
      drop(id);
      breaks.delete(id);
      cut?.();
      pump();
    },
    live() {
      for (const upload of list.value) if (upload.failure.value?.code === "offline") again(upload);
      pump();
    },
  };
}
