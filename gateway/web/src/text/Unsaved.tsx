// The mark of a text that was begun and not sent.

import { computed } from "@preact/signals";
import { useMemo } from "preact/hooks";

import { useDesk } from "../desk.js";
import { say } from "../words/words.js";

/** By the name of its draft: keyOf, or that of something new. */
export const Begun = ({ name }: { readonly name: string }) => (useBegun(name) ? <span class="unsaved">{say("texts.unsaved")}</span> : null);

/** Is there an unfinished text of that name? Whoever may not write any more still gets at his words. */
export function useBegun(name: string): boolean {
  const { drafts } = useDesk().texts;
  return useMemo(() => computed(() => {
    const draft = drafts.of(name).value;
    return draft !== undefined && draft.sent === undefined;
  }), [drafts, name]).value;
}
