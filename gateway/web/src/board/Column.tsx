// A column: its head with the count, its cards, and the way to add one.

import { useMemo } from "preact/hooks";

import type { Card, Column as ColumnEntity } from "@snapback/client";
import { useChildren } from "@snapback/client/react";

import { archive } from "../actions.js";
import { useDesk } from "../desk.js";
import { Icon } from "../parts/Icon.js";
import { Menu, type MenuItem } from "../parts/Menu.js";
import { useFilter } from "../people/filter.js";
import { EditText } from "../text/EditText.js";
import { moving, renaming } from "../ui.js";
import { say } from "../words/words.js";
import { Adder } from "./Adder.js";
import { CardFace } from "./CardFace.js";

const seen = (all: readonly Card[]) => all.filter((c) => !c.archived);

export function Column({ column, editable }: { readonly column: ColumnEntity; readonly editable: boolean }) {
  const desk = useDesk();
  const { id, title } = column;
  const all = useChildren(id, "card", seen);
  const matches = useFilter();
  const cards = useMemo(() => all.filter(matches), [all, matches]);
  return (
    <li class="column" data-id={id} data-full={fullness(column, all.length)} data-color={column.color}>
      <section aria-labelledby={`title-${id}`}>
        <header class="column-head" tabIndex={-1}>
          {renaming.value === id
            ? <EditText id={id} field="title" label={say("board.columnTitle")} onDone={() => (renaming.value = undefined)} />
            : <h2 id={`title-${id}`} dir="auto" onDblClick={() => editable && (renaming.value = id)}>{title}</h2>}
          <Count column={column} count={all.length} />
          {editable && <Menu label={say("board.columnMenu", { column: title })} items={menuOf(column, () => archive(desk, id))}><Icon name="more" /></Menu>}
        </header>
        <ul class="cards" data-column={id} aria-labelledby={`title-${id}`}>
          {cards.map((card) => <CardFace key={card.id} card={card} editable={editable} />)}
        </ul>
        {editable && (
          <Adder
            label={say("board.addCard")} field={say("board.cardTitle")} draft={`card-${id}`}
            add={(text) => desk.store.create("card", { columnId: id, title: text })}
          />
        )}
      </section>
    </li>
  );
}

function menuOf({ id }: ColumnEntity, away: () => void): readonly MenuItem[] {
  return [
    { label: say("board.rename"), run: () => (renaming.value = id) },
    { label: say("board.move"), run: () => (moving.value = id) },
    { label: say("board.archive"), run: away },
  ];
}

const fullness = ({ wipLimit }: ColumnEntity, count: number) => (!wipLimit || count < wipLimit ? undefined : count > wipLimit ? "over" : "full");

function Count({ column: { wipLimit }, count }: { readonly column: ColumnEntity; readonly count: number }) {
  return <span class="count">{wipLimit ? say("board.wip", { count, limit: wipLimit }) : say("board.count", { count })}</span>;
}
