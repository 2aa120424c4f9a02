// Asks before something archived is deleted, and says what goes with it.

import { useEffect, useState } from "preact/hooks";

import { load, type Card, type Column, type Store } from "@snapback/client";
import { useList } from "@snapback/client/react";

import { useDesk } from "../desk.js";
import { Confirm } from "../parts/Confirm.js";
import { list } from "../words/lists.js";
import { say } from "../words/words.js";

export function DeleteArchived({ entity, onYes, onClose }: {
  readonly entity: Card | Column;
  onYes(): void;
  onClose(): void;
}) {
  const { id, kind, title } = entity;
  return (
    <Confirm
      title={say(kind === "card" ? "archive.deleteCard" : "archive.deleteColumn", { what: title })} yes={say("archive.deleteNow")}
      onYes={onYes} onClose={onClose}
    >
      {kind === "card" ? <WithCard id={id} /> : <WithColumn id={id} />}
      <p><strong>{say("archive.forEver")}</strong></p>
    </Confirm>
  );
}

/** What hangs on an archived card is not on the board before it is asked for. */
function WithCard({ id }: { readonly id: string }) {
  const { store } = useDesk();
  const [known, setKnown] = useState<"asking" | "known" | "unknown">("asking");
  useEffect(() => {
    let open = true;
    load(store, { card: id }).then(() => open && setKnown("known"), () => open && setKnown("unknown"));
    return () => void (open = false);
  }, [id]);
  useList("comment"); // more may come while it is asked
  if (known === "asking") return <p role="status">{say("archive.counting")}</p>;
  const parts = known === "known" ? goesWith(store, id) : [say("archive.everything")];
  return <p role="status">{parts.length ? say("archive.withIt", { what: list(parts) }) : say("archive.nothingElse")}</p>;
}

/** What is deleted with a card: 3 comments, 1 checklist. */
function goesWith(store: Pick<Store, "get" | "children">, id: string): readonly string[] {
  const card = store.get<Card>(id);
  const counts = [
    ["archive.comments", Math.max(card?.comments ?? 0, store.children(id, "comment").length)],
    ["archive.checklists", store.children(id, "checklist").length],
    ["archive.files", store.children(id, "file").length],
  ] as const;
  return counts.flatMap(([key, count]) => (count ? [say(key, { count })] : []));
}

function WithColumn({ id }: { readonly id: string }) {
  const { store } = useDesk();
  const count = store.children(id, "card").length;
  return <p>{count ? say("archive.columnCards", { count }) : say("archive.columnEmpty")}</p>;
}
