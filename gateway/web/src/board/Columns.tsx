// The columns of the board, side by side, and the way to make another.

import { useRef } from "preact/hooks";

import type { Column as ColumnEntity } from "@snapback/client";
import { useBoard, useChildren } from "@snapback/client/react";

import { atLeast, useDesk } from "../desk.js";
import { say } from "../words/words.js";
import { Adder } from "./Adder.js";
import { Column } from "./Column.js";
import { useDrag } from "./drag.js";

const seen = (all: readonly ColumnEntity[]) => all.filter((c) => !c.archived);

export function Columns() {
  const desk = useDesk();
  const { me, board } = useBoard();
  const columns = useChildren("", "column", seen);
  const ref = useRef<HTMLElement>(null);
  useDrag(ref);
  const editable = atLeast(me?.role, "editor");
  return (
    <main ref={ref} class="board" aria-label={board?.title}>
      <ol class="columns">
        {columns.map((column) => <Column key={column.id} column={column} editable={editable} />)}
        {editable && (
          <li class="column new-column">
            <Adder label={say("board.addColumn")} field={say("board.columnTitle")} draft="column" add={(title) => desk.store.create("column", { title })} />
          </li>
        )}
      </ol>
    </main>
  );
}
