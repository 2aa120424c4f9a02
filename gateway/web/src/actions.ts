// What people do with cards and columns, as mutations. Each is shown at once and may be refused; the refusal's words are
// refused.ts's. What can be regretted says so with a note that undoes it.

import type { Card, Change, Column, Place, Sent } from "@snapback/client";

import { portions } from "./card/lines.js";
import { nameOf, type Desk } from "./desk.js";
import { filterNow, showAll } from "./people/filter.js";
import { announce, note, type Said } from "./say.js";
import { clip } from "./text/mutation.js";
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

/** As few mutations as hold all the changes. */
const transactAll = ({ store }: Desk, changes: readonly Change[]): readonly Sent[] => portions(changes).map((part) => store.transact(part));

/** Adds cards at the end of a column; of a text of several lines the first is the title and the others describe. */
export function addCards(desk: Desk, columnId: string, texts: readonly string[]): readonly Sent[] {
  const changes = texts.map((text): Change => {
    const [title = "", ...rest] = text.trim().split("\n");
    const description = rest.join("\n").trim();
    return { entityId: desk.store.newId(), ifRev: 0, patch: { kind: "card", columnId, title: title.trim(), ...(description ? { description } : {}) } };
  });
  const sent = transactAll(desk, changes);
  tellHidden(desk, changes.map((c) => c.entityId), sent);
  return sent;
}

let gone: (() => void) | undefined;

/** Says so of cards that were added and that the filter does not let through: who does not see them adds them again. */
function tellHidden({ store }: Desk, ids: readonly string[], sent: readonly Sent[]): void {
  const matches = filterNow(store);
  const [first, ...more] = ids.flatMap((id) => store.get<Card>(id) ?? []).filter((card) => !matches(card));
  if (!first) return;
  const title = say("search.hidden", { what: clip(first.title), count: more.length + 1 });
  gone?.();
  gone = tell(sent, { tone: "plain", title, actions: [{ label: say("search.clear"), run: showAll }] });
}

export function addColumns(desk: Desk, titles: readonly string[]): readonly Sent[] {
  return transactAll(desk, titles.map((title) => ({ entityId: desk.store.newId(), ifRev: 0, patch: { kind: "column", title: title.trim().replace(/\s+/g, " ") } })));
}

/** Takes a card or column out of sight; the note about it brings it back. */
export function archive(desk: Desk, id: string): Sent {
  const what = nameOf(desk.store.get(id)) ?? "";
  const sent = desk.store.mutate(id, { archived: true });
  regrettable([sent], say("board.archived", { what }), () => void restore(desk, id));
  return sent;
}

/** Takes all cards of a column out of sight. */
export function archiveAll(desk: Desk, columnId: string): readonly Sent[] {
  const ids = cardsIn(desk, columnId).map((c) => c.id);
  const change = (archived: true | null) => transactAll(desk, ids.map((entityId) => ({ entityId, patch: { archived } })));
  const sent = change(true);
  if (sent[0]) regrettable(sent, say("board.archivedAll", { count: ids.length }), () => void change(null));
  return sent;
}

export const restore = ({ store }: Desk, id: string): Sent => store.mutate(id, { archived: null });

/** Says what was done, with a button that takes it back, also after other things. */
function regrettable(sent: readonly Sent[], title: string, undo: () => void): void {
  tell(sent, { tone: "done", title, actions: [{ label: say("top.undo"), run: undo }] });
}

/** Says what was done, to be seen and heard; the note goes if all of it is refused. Gives what takes it away. */
function tell(sent: readonly Sent[], said: Said): () => void {
  announce(said.title);
  const end = note(said);
  void Promise.all(sent).then((verdicts) => verdicts.some((v) => v.ok) || end());
  return end;
}
