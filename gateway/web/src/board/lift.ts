// What is lifted, by key or pointer, and where it would land. Only this window sees it, and the server hears nothing until it
// is put down.

import { signal } from "@preact/signals";

import type { Card, Column } from "@snapback/client";

import { cardsIn, columnsOf, moveCard, moveColumn } from "../actions.js";
import { nameOf, type Desk } from "../desk.js";
import { announce, note } from "../say.js";
import { here } from "../ui.js";
import { say } from "../words/words.js";
import { flight } from "./flight.js";
import { placeOf, spotAt, without, type Spot } from "./place.js";

export interface Lift extends Spot {
  readonly id: string;
  readonly kind: "card" | "column";
  readonly by: "keys" | "pointer";
}

export const lifted = signal<Lift | undefined>(undefined);

/** What stands in each column as shown now, with what is lifted; under "" the columns. The components write it. */
export const shown = new Map<string, readonly string[]>();

/** The ids shown under a parent, without one of them. */
export const others = (parent: string, id: string): readonly string[] => without(shown.get(parent) ?? [], id);

let ends: (() => void)[] = [];

/** Lifts a card or column from where it is shown. False if it is not shown. */
export function lift(desk: Desk, id: string, by: Lift["by"]): boolean {
  const thing = desk.store.get<Card | Column>(id);
  if (thing?.kind !== "card" && thing?.kind !== "column") return false;
  const parent = thing.kind === "card" ? thing.columnId : "";
  const at = shown.get(parent)?.indexOf(id) ?? -1;
  if (at < 0 || lifted.value) return false;
  const was = here.value;
  here.value = { card: id, doing: "drag" };
  const what = nameOf(thing);
  ends = [() => (here.value = was), desk.store.subscribe(() => check(desk, what))];
  lifted.value = { id, kind: thing.kind, by, ...spotAt(parent, others(parent, id), at) };
  return true;
}

/** What is lifted would land there now. */
export function aim(spot: Spot): void {
  const now = lifted.value;
  if (!now || (now.parent === spot.parent && now.after === spot.after)) return;
  if (now.by === "pointer") flight.over([now.parent, spot.parent]); // keys are quicker than any flight
  lifted.value = { ...now, ...spot };
}

function end(): Lift | undefined {
  const was = lifted.value;
  ends.forEach((fn) => fn());
  ends = [];
  lifted.value = undefined;
  return was;
}

/** Puts it back where it was. */
export function putBack(desk: Desk): void {
  const { id, parent } = lifted.value ?? {};
  if (id === undefined) return;
  const home = homeOf(desk, id);
  flight.over([parent!, home], { slow: true });
  end();
}

const homeOf = ({ store }: Desk, id: string): string => {
  const thing = store.get(id);
  return thing?.kind === "card" ? thing.columnId : "";
};

/** Puts it down where it would land; tells whether anything was asked of the server. */
export function putDown(desk: Desk): boolean {
  const now = lifted.value;
  if (!now) return false;
  const all = now.kind === "card" ? cardsIn(desk, now.parent) : columnsOf(desk);
  const place = placeOf(without(all.map((e) => e.id), now.id), others(now.parent, now.id), now);
  // Sent first: from the preview to the view it is one painting, in which all the others stand where they stood.
  const sent = flight.still(() => (now.kind === "card" ? moveCard(desk, now.id, now.parent, place) : moveColumn(desk, now.id, place)));
  end();
  return !!sent;
}

/** Others go on working: what is lifted may be gone, or the column it is over. */
function check(desk: Desk, what: string | undefined): void {
  const now = lifted.value;
  if (!now) return;
  const { store } = desk;
  const thing = store.get<Card | Column>(now.id);
  if (!thing || thing.archived) {
    end();
    const title = say("board.liftedGone", { what: nameOf(thing) ?? what ?? say("refused.unnamed") });
    note({ tone: "plain", title });
    return announce(title);
  }
  const over = now.parent && store.get<Column>(now.parent);
  if (now.parent && (!over || over.archived)) putBack(desk);
}

/** A hard limit that leaves no room for a card that is not in the column yet. */
export function isFullFor(column: Column, count: number): boolean {
  return !!column.wipLimit && column.wipMode !== "soft" && count >= column.wipLimit;
}
