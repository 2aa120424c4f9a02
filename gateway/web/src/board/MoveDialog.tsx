// Move…: a card to a column and a place in it, a column to a place, without dragging.

import { useEffect, useState } from "preact/hooks";

import type { Card, Column, Place } from "@snapback/client";
import { useChildren, useEntity } from "@snapback/client/react";

import { moveCard, moveColumn } from "../actions.js";
import { nameOf, useDesk } from "../desk.js";
import { Dialog } from "../parts/Dialog.js";
import { moving } from "../ui.js";
import { say } from "../words/words.js";
import { focusOn } from "./focus.js";
import { isFullFor } from "./lift.js";
import { announce } from "../say.js";
import { cardTitle, columnTitle } from "./short.js";

const seenCards = (all: readonly Card[]) => all.filter((c) => !c.archived);
const seenColumns = (all: readonly Column[]) => all.filter((c) => !c.archived);

const close = () => void (moving.value = undefined);

export function MoveDialog() {
  const id = moving.value;
  const thing = useEntity<Card | Column>(id ?? "");
  useEffect(() => close, []); // with the board
  if (id === undefined || (thing?.kind !== "card" && thing?.kind !== "column")) return null;
  return thing.kind === "card" ? <MoveCard key={id} card={thing} /> : <MoveColumn key={id} column={thing} />;
}

function MoveCard({ card }: { readonly card: Card }) {
  const desk = useDesk();
  const columns = useChildren("", "column", seenColumns);
  const [chosen, setColumn] = useState(card.columnId);
  const columnId = columns.some((c) => c.id === chosen) ? chosen : ""; // it may be archived by now
  const cards = useChildren(columnId, "card", seenCards).filter((c) => c.id !== card.id);
  const [after, setAfter] = useState(() => standsAfter(desk.store.children(card.columnId, "card").filter((c) => !c.archived), card.id));
  const column = columns.find((c) => c.id === columnId);
  const move = (place: Place) => {
    if (!moveCard(desk, card.id, columnId, place)) return;
    announce(say("board.moved", { what: cardTitle(card.title), column: columnTitle(nameOf(column) ?? "") }));
  };
  return (
    <Form id={card.id} title={say("board.moveCard", { card: cardTitle(card.title) })} list={cards} after={after} setAfter={setAfter} move={move}>
      <label class="field">
        <span>{say("board.toColumn")}</span>
        <select
          autoFocus required value={columnId}
          onChange={(e) => {
            setColumn(e.currentTarget.value);
            setAfter(last);
          }}
        >
          {!columnId && <option value="" disabled>{say("board.noColumn")}</option>}
          {columns.map((c) => <ColumnOption key={c.id} column={c} card={card} />)}
        </select>
      </label>
    </Form>
  );
}

function ColumnOption({ column, card }: { readonly column: Column; readonly card: Card }) {
  const count = useChildren(column.id, "card", seenCards).length;
  const { id, wipLimit } = column;
  const isFull = id !== card.columnId && isFullFor(column, count);
  const params = { column: columnTitle(column.title), count, limit: wipLimit ?? 0 };
  return <option value={id}>{say(isFull ? "board.optionFull" : wipLimit ? "board.optionLimit" : "board.option", params)}</option>;
}

function MoveColumn({ column }: { readonly column: Column }) {
  const desk = useDesk();
  const all = useChildren("", "column", seenColumns);
  const [after, setAfter] = useState(() => standsAfter(all, column.id));
  const move = (place: Place) => {
    if (!moveColumn(desk, column.id, place)) return;
    announce(say("board.movedColumn", { column: columnTitle(column.title) }));
  };
  return <Form id={column.id} title={say("board.moveColumn", { column: columnTitle(column.title) })} list={all.filter((c) => c.id !== column.id)} after={after} setAfter={setAfter} move={move} />;
}

/** Values of the places that are not behind somebody; ids have no spaces. */
const first = " first";
const last = " last";

/** Behind whom it stands now. */
function standsAfter(list: readonly { readonly id: string }[], id: string): string {
  const at = list.findIndex((x) => x.id === id);
  return at === list.length - 1 ? last : (list[at - 1]?.id ?? first);
}

function Form({ id, title, list, after, setAfter, move, children }: {
  readonly id: string;
  readonly title: string;
  readonly list: readonly (Card | Column)[];
  readonly after: string;
  setAfter(after: string): void;
  move(place: Place): void;
  readonly children?: preact.ComponentChildren;
}) {
  // Somebody may have taken the neighbour away while this was open.
  const chosen = after === first || list.some((x) => x.id === after) ? after : last;
  return (
    <Dialog label={title} className="small-dialog" onClose={close}>
      <h2><bdi>{title}</bdi></h2>
      <form
        class="stack"
        onSubmit={(e) => {
          e.preventDefault();
          move(chosen === first ? { after: null } : chosen === last ? { before: null } : { after: chosen });
          close();
          requestAnimationFrame(() => focusOn(id));
        }}
      >
        {children}
        <label class="field">
          <span>{say("board.toPlace")}</span>
          <select autoFocus={!children} value={chosen} onChange={(e) => setAfter(e.currentTarget.value)}>
            <option value={first}>{say("board.first")}</option>
            {list.slice(0, -1).map((x) => <option key={x.id} value={x.id}>{say("board.after", { what: columnTitle(nameOf(x) ?? "") })}</option>)}
            {list.length > 0 && <option value={last}>{say("board.last")}</option>}
          </select>
        </label>
        <div class="dialog-buttons">
          <button type="submit" class="primary">{say("board.moveIt")}</button>
          <button type="button" class="second" onClick={close}>{say("board.cancel")}</button>
        </div>
      </form>
    </Dialog>
  );
}
