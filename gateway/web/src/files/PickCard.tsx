// Choosing a card by its name.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { nameOf, useDesk } from "../desk.js";
import { Dialog } from "../parts/Dialog.js";
import { say } from "../words/words.js";
import { matching } from "./matching.js";

/** How many are shown at once. */
const most = 30;

export function PickCard({ title, not, onPick, onClose }: {
  readonly title: string;
  /** The card that is out of the question. */
  readonly not: string | undefined;
  onPick(id: string): void;
  onClose(): void;
}) {
  const { store } = useDesk();
  const [words, setWords] = useState("");
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const cards = useMemo(() => matching(store.list("card"), words, not), [words, not]);
  const pick = (id: string) => {
    onClose();
    onPick(id);
  };
  return (
    <Dialog label={title} className="pick-card" onClose={onClose}>
      <h2 dir="auto">{title}</h2>
      <input
        ref={field} type="search" dir="auto" aria-label={say("files.pickSearch")} placeholder={say("files.pickSearch")} autocomplete="off"
        onInput={(e) => setWords(e.currentTarget.value)}
        onKeyDown={(e) => {
          if (e.key === "Enter" && !e.isComposing && cards[0]) pick(cards[0].id);
        }}
      />
      {!cards.length && <p role="status">{say("files.pickNone")}</p>}
      <ul class="pick-list">
        {cards.slice(0, most).map((card) => (
          <li key={card.id}>
            <button type="button" onClick={() => pick(card.id)}>
              <span dir="auto">{card.title}</span>
              <small dir="auto">{nameOf(store.get(card.columnId))}</small>
            </button>
          </li>
        ))}
      </ul>
      {cards.length > most && <p class="file-about">{say("files.pickMore", { count: cards.length - most })}</p>}
    </Dialog>
  );
}
