// A column: its head with the count, its cards, and the way to add one.

import { computed } from "@preact/signals";
import { memo } from "preact/compat";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { RefObject } from "preact";

import type { Card, Column as ColumnEntity } from "@snapback/client";
import { useChildren } from "@snapback/client/react";

import { addCards } from "../actions.js";
import { useDesk, type Desk } from "../desk.js";
import { Icon } from "../parts/Icon.js";
import { Menu } from "../parts/Menu.js";
import { useFilter } from "../people/filter.js";
import { MatchCount } from "../people/MatchCount.js";
import { EditText } from "../text/EditText.js";
import { renaming } from "../ui.js";
import { say } from "../words/words.js";
import { Adder } from "./Adder.js";
import { CardFace } from "./CardFace.js";
import { columnMenu } from "./columnMenu.js";
import { flight } from "./flight.js";
import { focused, mounted, stands, useRenamed } from "./focus.js";
import { adding } from "./keys.js";
import { isFullFor, lifted } from "./lift.js";
import { preview } from "./place.js";
import { columnTitle } from "./short.js";
import { useTold } from "./told.js";
import { isWindowed, useWindow, type Standing } from "./window.js";

const seen = (all: readonly Card[]) => all.filter((c) => !c.archived);

interface ColumnProps {
  readonly column: ColumnEntity;
  readonly editable: boolean;
  readonly likeable: boolean;
  /** Are its cards drawn before it is known whether the column can be seen? */
  readonly near: boolean;
  /** One of few: they are drawn in any case. */
  readonly isOfFew: boolean;
}

export const Column = memo(function Column({ column, editable, likeable, near, isOfFew }: ColumnProps) {
  const { id } = column;
  const all = useChildren(id, "card", seen);
  const li = useRef<HTMLLIElement>(null);
  const isNear = useNear(li, near);
  const isLifted = useTold(() => (lifted.value?.id === id ? lifted.value.by : undefined));
  useLayoutEffect(() => mounted(id), [id]);
  return (
    <li ref={li} class="column" data-id={id} data-full={fullness(column, all.length)} data-color={column.color} data-lifted={isLifted}>
      <section aria-labelledby={`title-${id}`}>
        <Head column={column} all={all} editable={editable} />
        <Cards column={column} all={all} editable={editable} likeable={likeable} isNear={isNear} isOfFew={isOfFew} />
      </section>
    </li>
  );
});

function Head({ column, all, editable }: { readonly column: ColumnEntity; readonly all: readonly Card[]; readonly editable: boolean }) {
  const desk = useDesk();
  const count = all.length;
  const { id } = column;
  const title = columnTitle(column.title);
  const isRenamed = useRenamed(id);
  return (
    <header class="column-head" tabIndex={0} role="group" aria-labelledby={`title-${id} count-${id} state-${id}`}>
      {isRenamed
        ? <EditText id={id} field="title" label={say("board.columnTitle")} onDone={() => (renaming.value = undefined)} />
        : <h2 id={`title-${id}`} dir="auto" onDblClick={() => editable && (renaming.value = id)}>{title}</h2>}
      <MatchCount cards={all} />
      <Count column={column} count={count} />
      {editable && <Menu label={say("board.columnMenu", { column: title })} items={() => columnMenu(desk, column, count)}><Icon name="more" /></Menu>}
    </header>
  );
}

/** The cards as they are shown: filtered, with what is lifted where it would land. */
function Cards({ column, all, editable, likeable, isNear, isOfFew }: Standing & {
  readonly column: ColumnEntity;
  readonly all: readonly Card[];
  readonly editable: boolean;
  readonly likeable: boolean;
}) {
  const standing = { isNear, isOfFew };
  const desk = useDesk();
  const { id } = column;
  const matches = useFilter();
  const list = useRef<HTMLUListElement>(null);
  const at = useLift(desk, id, all);
  const cards = useMemo(() => {
    const shown = all.filter(matches);
    return at ? preview(shown, desk.store.get<Card>(at.id), at, id) : shown;
  }, [all, matches, at]);
  const ids = useMemo(() => cards.map((c) => c.id), [cards]);
  const { drawn, measure } = useWindow(list, ids, usePins(desk, id, ids, isWindowed(ids.length, standing)), standing);
  useLayoutEffect(() => stands(id, ids), [ids]);
  useEffect(() => () => stands(id, undefined), [id]);
  const adder = useMemo(() => {
    const add = (texts: readonly string[]) => {
      const sent = flight.still(() => addCards(desk, id, texts)); // behind all the others, which stay where they are
      requestAnimationFrame(() => toEnd(list));
      return sent;
    };
    return <Adder label={say("board.addCard")} field={say("board.cardTitle")} draft={`add-card/${id}`} column={id} many="board.addCards" opens={adding} add={add} />;
  }, [desk, id]);
  return (
    <>
      {at?.parent === id && <Full column={column} all={all} lifted={at.id} />}
      <div class="list" data-windowed={drawn ? true : undefined}>
        <ul
          ref={list} class="cards" data-column={id} aria-labelledby={`title-${id}`} data-empty={say(all[0] ? "board.noneMatches" : "board.empty")}
          data-windowed={drawn ? true : undefined}
        >
          {drawn
            ? drawn.rows.map(({ index }) => {
              const card = cards[index]!;
              return <CardFace key={card.id} card={card} editable={editable} likeable={likeable} measure={measure} />;
            })
            : cards.map((card) => <CardFace key={card.id} card={card} editable={editable} likeable={likeable} />)}
        </ul>
      </div>
      {editable && adder}
    </>
  );
}

/** What is lifted, if it concerns this column: it would land here, or is one of its cards. */
function useLift({ store }: Desk, column: string, all: readonly Card[]) {
  return useMemo(() => computed(() => {
    const now = lifted.value;
    if (now?.kind !== "card") return undefined;
    if (now.parent === column) return now;
    const card = store.get<Card>(now.id);
    return card?.columnId === column && !card.archived ? away(now.id) : undefined;
  }), [column, all]).value;
}

/** The same object while a card is lifted away: its column is not drawn again with every step. */
let gone: { readonly id: string; readonly parent: string; readonly after: null; readonly at: number } | undefined;
const away = (id: string) => (gone?.id === id ? gone : (gone = { id, parent: "\n", after: null, at: 0 }));

/** The indexes of those cards of the column that stay in the page wherever it is scrolled to. */
function usePins({ store }: Desk, column: string, ids: readonly string[], on: boolean): readonly number[] {
  const pinned = useMemo(() => computed(() => {
    if (!on) return "";
    const now = lifted.value;
    const held = new Set([now?.id, focused.value, renaming.value]);
    // All columns are asked with each step of the focus: of the others' cards none is looked for.
    const isHere = (id: string) => column === (id === now?.id ? now.parent : store.get<Card>(id)?.columnId);
    const at = [...held].flatMap((id) => (id !== undefined && isHere(id) ? ids.indexOf(id) : []));
    return at.filter((i) => i >= 0).sort((a, b) => a - b).join();
  }), [column, ids, on]).value;
  return useMemo(() => (pinned ? pinned.split(",").map(Number) : []), [pinned]);
}

/** Is the column in the view, or beside it? */
function useNear(li: RefObject<HTMLElement | null>, first: boolean): boolean {
  const [near, set] = useState(first);
  useEffect(() => {
    const root = li.current!.closest(".board");
    const observer = new IntersectionObserver((seen) => set(seen.at(-1)!.isIntersecting), { root, rootMargin: "0px 300px" });
    observer.observe(li.current!);
    return () => observer.disconnect();
  }, []);
  return near;
}

function toEnd(list: RefObject<HTMLElement | null>): void {
  const go = () => list.current?.scrollTo({ top: list.current.scrollHeight });
  go();
  requestAnimationFrame(go); // once more with measured heights
}

const fullness = ({ wipLimit }: ColumnEntity, count: number) => (!wipLimit || count < wipLimit ? undefined : count > wipLimit ? "over" : "full");

function Count({ column, count }: { readonly column: ColumnEntity; readonly count: number }) {
  const { id, wipLimit } = column;
  if (!wipLimit) return <><span id={`count-${id}`} class="count">{say("board.count", { count })}</span><span id={`state-${id}`} class="unseen">{say("board.cards", { count })}</span></>;
  const state = fullness(column, count);
  const words = state && say(`board.${state}`);
  const mode = say(column.wipMode === "soft" ? "board.softLimit" : "board.hardLimit", { limit: wipLimit });
  return (
    <>
      <span id={`count-${id}`} class="count" title={words ? say("board.limitState", { mode, state: words }) : mode}>{say("board.wip", { count, limit: wipLimit })}</span>
      <span id={`state-${id}`} class="unseen">{words ?? say("board.cards", { count })}</span>
    </>
  );
}

/** Says before the card is put down that there is no room for it. */
function Full({ column, all, lifted }: { readonly column: ColumnEntity; readonly all: readonly Card[]; readonly lifted: string }) {
  if (!isFullFor(column, all.length) || all.some((c) => c.id === lifted)) return null;
  return <p class="no-room">{say("board.isFull", { column: column.title, count: all.length, limit: column.wipLimit! })}</p>;
}
