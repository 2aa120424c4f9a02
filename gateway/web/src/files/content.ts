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
    request(contentOf(board, file), { signal: stop.signal }).then((answer) => answer.blob()).then(
      (blob) => stop.signal.aborted || setAddress((made = URL.createObjectURL(blob))),
      () => {}, // there is no picture then
    );
    return () => {
      stop.abort();
      URL.revokeObjectURL(made);
    };
  }, [board, file, token]);
  return token ? address : contentOf(board, file).href;
}

/** Saves a file that only a token opens. */
export async function save({ board }: Desk, file: string, name: string): Promise<void> {
  try {
    const blob = await (await request(contentOf(board, file))).blob();
    const address = URL.createObjectURL(blob);
    Object.assign(document.createElement("a"), { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  } catch (error) {
    const why = error instanceof Problem ? wording(error, () => undefined, name) : wording({ code: "offline", details: {} }, () => undefined, name);
    note({ tone: "refused", title: say("files.notLoaded", { why }) });
  }
}
