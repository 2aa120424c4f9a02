// The bytes of a file: a plain address where the server goes by names; with a token, which an address must not carry, they
// are fetched and become an address of this page's.

import { useEffect, useState } from "preact/hooks";

import { type Desk, useDesk } from "../desk.js";
import { note } from "../say.js";
import { of, Problem, request, who } from "../session.js";
import { wording } from "../words/refusal.js";
import { say } from "../words/words.js";

/** Where the content is, for whoever may ask. */
export const contentOf = (board: string, file: string): URL => of(board, "files", file, "content");

/** An address for an img; undefined until there is one. */
export function useContent(file: string): string | undefined {
  const { board } = useDesk();
  const { token } = who.value;
  const [address, setAddress] = useState<string>();
  useEffect(() => {
    if (!token) return undefined;
    const stop = new AbortController();
    let made = "";
    request(contentOf(board, file), { signal: stop.signal }).then((answer) => answer.blob()).then(addressOf).then(
      (address) => (stop.signal.aborted ? URL.revokeObjectURL(address) : setAddress((made = address))),
      () => {}, // there is no picture then
    );
    return () => {
      stop.abort();
      URL.revokeObjectURL(made);
    };
  }, [board, file, token]);
  return token ? address : contentOf(board, file).href;
}

/** An address of a picture. A drawing can carry scripts: it gets one that is of no origin, wherever it is opened. */
export async function addressOf(picture: Blob): Promise<string> {
  if (picture.type.startsWith("image/svg")) return `data:image/svg+xml,${encodeURIComponent(await picture.text())}`;
  return URL.createObjectURL(picture);
}

/** Bytes to be saved: of no type that a browser would show, as a page of this origin. */
export const plain = (content: Blob): Blob => content.slice(0, content.size, "application/octet-stream");

/** Saves a file that only a token opens. */
export async function save({ board }: Desk, file: string, name: string): Promise<void> {
  try {
    const blob = plain(await (await request(contentOf(board, file))).blob());
    const address = URL.createObjectURL(blob);
    Object.assign(document.createElement("a"), { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  } catch (error) {
    const why = error instanceof Problem ? wording(error, () => undefined, name) : wording({ code: "offline", details: {} }, () => undefined, name);
    note({ tone: "refused", title: say("files.notLoaded", { why }) });
  }
}
