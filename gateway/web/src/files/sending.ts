// Uploads of an open board, over XMLHttpRequest: fetch does not tell how much has left.

import { effect } from "@preact/signals";

import type { Store } from "@snapback/client";

import type { Desk } from "../desk.js";
import { announce, note } from "../say.js";
import { of, problemOf, who } from "../session.js";
import { size } from "../words/dates.js";
import { wording } from "../words/refusal.js";
import { say } from "../words/words.js";
import { canRetry, createUploads, type Failure, type Upload, type Uploads } from "./uploads.js";

const all = new WeakMap<Store, Uploads>();

/** The uploads of a board; they go on when the list that shows them is closed. */
export function uploadsOf(desk: Desk): Uploads {
  const known = all.get(desk.store);
  if (known) return known;
  const { board, store } = desk;
  const notes = new Map<string, () => void>();
  const uploads = createUploads({
    newId: () => store.newId(),
    // The board may have been left meanwhile; its uploads go on.
    live: () => store.status !== "offline" && store.status !== "connecting",
    put: (upload, progress, ended) => {
      notes.get(upload.id)?.();
      notes.delete(upload.id);
      return put(board, upload, progress, ended);
    },
    there: (id, fn) => {
      if (store.get(id) || store.status === "closed") return fn();
      const end = store.subscribe(id, () => {
        end();
        fn();
      });
    },
    failed: (upload, failure) => {
      notes.set(upload.id, note({
        tone: "refused", title: say("files.failed", { name: upload.name }), text: failureInWords(failure, upload.name),
        ...(canRetry(failure) && { actions: [{ label: say("files.retry"), run: () => uploads.retry(upload.id) }] }),
      }));
    },
    stored: ({ name }) => announce(say("files.stored", { name })),
  });
  all.set(store, uploads);
  store.onStatus((status) => status === "live" && uploads.live());
  const ask = (e: BeforeUnloadEvent) => e.preventDefault();
  // Asks only while there is something to lose: a listener that stays would keep the board in memory when it is closed.
  effect(() => {
    const busy = uploads.list.value.some((u) => u.state.value === "sending" || u.state.value === "waiting");
    if (busy) addEventListener("beforeunload", ask);
    else removeEventListener("beforeunload", ask);
  });
  return uploads;
}

/** Why an upload failed, as one sentence without its period. */
export function failureInWords({ code, details }: Failure, name: string): string {
  const limit = details["limit"];
  if (code === "too_large" && typeof limit === "number") return say("files.tooLarge", { size: size(limit) });
  if (code === "unreadable") return say("files.unreadable");
  return wording({ code, details }, () => undefined, name, name);
}

function put(board: string, upload: Upload, progress: (bytes: number) => void, ended: (failure?: Failure) => void): () => void {
  const url = of(board, "files", upload.id, "content");
  url.searchParams.set("name", upload.name);
  if (upload.card) url.searchParams.set("card", upload.card);
  const call = new XMLHttpRequest();
  call.open("PUT", url);
  call.responseType = "json";
  call.setRequestHeader("Mutation-Id", upload.mutation);
  call.setRequestHeader("Content-Type", upload.content.type || "application/octet-stream");
  const { token } = who.value;
  if (token) call.setRequestHeader("Authorization", `Bearer ${token}`);
  call.upload.onprogress = (e) => progress(e.loaded);
  call.onload = () => {
    if (call.status >= 200 && call.status < 300) return ended();
    const { code, details } = problemOf(call.status, call.response);
    ended({ code, details });
  };
  call.onerror = () => void readable(upload.content).then((can) => ended({ code: can ? "offline" : "unreadable", details: {} }));
  call.send(upload.content);
  return () => call.abort();
}

/** A file that was deleted or changed since it was chosen can not be read, which looks like a broken connection. */
const readable = (content: Blob): Promise<boolean> => content.slice(0, 1).arrayBuffer().then(() => true, () => false);
