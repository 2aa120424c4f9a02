// The mark of a text that was begun and not sent.

import { useDesk } from "../desk.js";
import { say } from "../words/words.js";
import { keyOf } from "./texts.js";

export const Unsaved = ({ id, field }: { readonly id: string; readonly field: string }) => <Begun name={keyOf(id, field)} />;

/** The same of what is not there yet, by the name of its draft. */
export function Begun({ name }: { readonly name: string }) {
  const { drafts } = useDesk().texts;
  const draft = drafts.of(name).value;
  return draft && draft.sent === undefined ? <span class="unsaved">{say("texts.unsaved")}</span> : null;
}
