// Who made a card and changed it last, and its history on demand.

import { useState } from "preact/hooks";

import type { Card } from "@snapback/client";

import { useDesk } from "../desk.js";
import { History } from "../history/History.js";
import { personOf } from "../people/candidates.js";
import { ago, exactly } from "../words/dates.js";
import { say } from "../words/words.js";
import { present } from "./now.js";

export function Foot({ card }: { readonly card: Card }) {
  const { id, createdAt, createdBy, updatedAt, updatedBy } = card;
  const [open, setOpen] = useState(false);
  return (
    <footer class="card-foot">
      <details class="card-history" onToggle={(e) => setOpen(e.currentTarget.open)}>
        <summary>{say("card.history")}</summary>
        {open && <History entity={id} />}
      </details>
      {createdAt && <Stamp which="created" at={createdAt} by={createdBy} />}
      {updatedAt && updatedAt !== createdAt && <Stamp which="updated" at={updatedAt} by={updatedBy} />}
    </footer>
  );
}

function Stamp({ which, at, by }: { readonly which: "created" | "updated"; readonly at: string; readonly by: string | undefined }) {
  const { store } = useDesk();
  const now = present();
  const when = ago(Math.min(Date.parse(at), now), now);
  return <p class="quiet"><time dateTime={at} title={exactly(at)}>{say(`card.${which}`, { name: by ? personOf(store, by).name : "", when })}</time></p>;
}
