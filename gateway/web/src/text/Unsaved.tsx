// The mark of a text that was begun and not sent.

import { useDesk } from "../desk.js";
import { say } from "../words/words.js";
import { keyOf } from "./texts.js";

export function Unsaved({ id, field }: { readonly id: string; readonly field: string }) {
  const { drafts } = useDesk().texts;
  const draft = drafts.of(keyOf(id, field)).value;
  return draft && draft.sent === undefined ? <span class="unsaved">{say("texts.unsaved")}</span> : null;
}
