// The columns of the board, side by side, and the way to make another.

import { computed } from "@preact/signals";
import { useEffect, useId, useLayoutEffect, useMemo, useRef } from "preact/hooks";

import type { Column as ColumnEntity } from "@snapback/client";
import { useBoard, useChildren } from "@snapback/client/react";

import { addColumns } from "../actions.js";
import { atLeast, useDesk } from "../desk.js";
import { say } from "../words/words.js";
import { Adder } from "./Adder.js";
import { Column } from "./Column.js";
import { useDrag } from "./drag.js";
import { flight } from "./flight.js";
import { stands, useFocus } from "./focus.js";
import { KeysDialog } from "./KeysDialog.js";
import { useKeys } from "./keys.js";
import { lifted } from "./lift.js";
import { LimitDialog } from "./LimitDialog.js";
import { isLikeable } from "./Like.js";
import { preview } from "./place.js";

const seen = (all: readonly ColumnEntity[]) => all.filter((c) => !c.archived);

/** Boards with more columns draw cards only of those that are seen, or nearly. */
const fewColumns = 6;
/** px */
const columnWidth = 284;

/** A click on a card, beside what can be pressed in it, opens it. */
function openCard({ target }: MouseEvent): void {
  if (!(target instanceof Element) || target.closest("a, button, input, textarea, select, label, dialog, [popover], .edit-text")) return;
  target.closest(".card")?.querySelector<HTMLElement>(".card-title")?.click();
}

export function Columns() {
  const desk = useDesk();
  const { me, board } = useBoard();
  const all = useChildren("", "column", seen);
  const ref = useRef<HTMLElement>(null);
  const hint = useId();
  const editable = atLeast(me?.role, "editor") && !board?.archived;
  const at = useMemo(() => computed(() => (lifted.value?.kind === "column" ? lifted.value : undefined)), []).value;
  const columns = useMemo(() => (at ? preview(all, desk.store.get<ColumnEntity>(at.id), at, "") : all), [all, at]);
  const ids = useMemo(() => columns.map((c) => c.id), [columns]);
  useFocus(ref);
  useKeys(ref, desk, editable);
  useDrag(ref, desk, editable);
  useEffect(() => flight.watch(desk.store), [desk]);
  useLayoutEffect(() => stands("", ids), [ids]);
  useScrolled(ref, ids);
  const likeable = isLikeable(board, me);
  const isFew = columns.length <= fewColumns;
  return (
    <main ref={ref} class="board" aria-label={board?.title} aria-describedby={hint} tabIndex={-1} onClick={openCard}>
      <p id={hint} class="unseen">{say("board.hint")}</p>
      <ol class="columns">
        {columns.map((column, i) => (
          <Column key={column.id} column={column} editable={editable} likeable={likeable} near={i * columnWidth < innerWidth + 300} isOfFew={isFew} />
        ))}
        {editable && (
          <li class="column new-column">
            <Adder label={say("board.addColumn")} field={say("board.columnTitle")} draft="add-column" many="board.addColumns" add={(texts) => addColumns(desk, texts)} />
          </li>
        )}
      </ol>
      <KeysDialog />
      <LimitDialog />
    </main>
  );
}

/** Lists keep where they are scrolled to when their column moves, which the browser forgets. */
function useScrolled(board: { readonly current: HTMLElement | null }, order: readonly string[]): void {
  const tops = useRef(new Map<Element, number>());
  useEffect(() => {
    const keep = ({ target }: Event) => target instanceof Element && target.matches(".cards") && tops.current.set(target, target.scrollTop);
    board.current!.addEventListener("scroll", keep, { capture: true, passive: true });
  }, []);
  useLayoutEffect(() => {
    for (const [list, top] of tops.current) {
      if (!list.isConnected) tops.current.delete(list);
      else if (list.scrollTop !== top) list.scrollTop = top;
    }
  }, [order]);
}
