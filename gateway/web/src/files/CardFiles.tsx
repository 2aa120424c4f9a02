// The files of a card.

import { say } from "../words/words.js";
import { FileList } from "./FileList.js";

export function CardFiles({ cardId }: { readonly cardId: string }) {
  return <FileList card={cardId} hint={say("files.hint")} />;
}
