// The files of a card.

import { say } from "../words/words.js";
import { FileList } from "./FileList.js";

export function CardFiles({ cardId, frozen = false }: {
  readonly cardId: string;
  /** The card is archived, or its reader may not change it. */
  readonly frozen?: boolean;
}) {
  return <FileList card={cardId} hint={say("files.hint")} frozen={frozen} />;
}
