// What people do with cards and columns, as mutations. Each is shown at once and may be refused; the refusal's words are
// refused.ts's. What can be regretted says so with a note that undoes it.

import type { Card, Column, Place, Sent } from "@snapback/client";

import { nameOf, type Desk } from "./desk.js";
import { announce, note } from "./say.js";
import { say } from "./words/words.js";

/** The cards of a column that can be seen, in order. */
export const cardsIn = ({ store }: Desk, columnId: string): readonly Card[] => store.children(columnId, "card").filter((c) => !c.archived);

/** The columns that can be seen, in order. */
export const columnsOf = ({ store }: Desk): readonly Column[] => store.children("", "column").filter((c) => !c.archived);

/** Puts a card into a column, at a place among its cards; nothing is sent if it stands there already. */
export function moveCard(desk: Desk, id: string, columnId: string, place: Place): Sent | undefined {
  const card = desk.store.get<Card>(id);
  if (!card) return undefined;
  if (card.columnId === columnId && standsAt(cardsIn(desk, columnId), id, place)) return undefined;
  return desk.store.mutate(id, { ...(card.columnId === columnId ? {} : { columnId }), position: place });
}

/** Puts a column at a place among the columns. */
export function moveColumn(desk: Desk, id: string, place: Place): Sent | undefined {
  if (standsAt(columnsOf(desk), id, place)) return undefined;
  return desk.store.mutate(id, { position: place });
}

function standsAt(list: readonly { readonly id: string }[], id: string, place: Place): boolean {
  const at = list.findIndex((e) => e.id === id);
  if (at < 0) return false;
  if ("after" in place) return place.after === id || place.after === (list[at - 1]?.id ?? null);
  return place.before === id || place.before === (list[at + 1]?.id ?? null);
}

/** Takes a card or column out of sight; the note about it brings it back. */
export function archive(desk: Desk, id: string): Sent {
  const what = nameOf(desk.store.get(id)) ?? "";
  const sent = desk.store.mutate(id, { archived: true });
  undoable(desk, sent, say("board.archived", { what }));
  return sent;
}

export const restore = ({ store }: Desk, id: string): Sent => store.mutate(id, { archived: null });

/** Says what was done, with a button that takes just that back; the note goes if it is refused. */
export function undoable(desk: Desk, sent: Sent, title: string): void {
  announce(title);
  const gone = note({ tone: "done", title, actions: [{ label: say("top.undo"), run: () => void desk.undo.undo() }] });
  void sent.then((verdict) => verdict.ok || gone());
}
