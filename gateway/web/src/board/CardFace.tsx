// A card as it stands on the board.

import { memo } from "preact/compat";
import { useLayoutEffect, useRef } from "preact/hooks";

import type { Card } from "@snapback/client";
import { useEntity } from "@snapback/client/react";

import { archive } from "../actions.js";
import { labelName } from "../card/colours.js";
import { useDesk } from "../desk.js";
import { Icon } from "../parts/Icon.js";
import { Menu, type MenuItem } from "../parts/Menu.js";
import { AtCard } from "../people/AtCard.js";
import { refused } from "../refused.js";
import { follow, hrefOf } from "../route.js";
import { EditText } from "../text/EditText.js";
import { moving, renaming } from "../ui.js";
import { say } from "../words/words.js";
import { Badges } from "./Badges.js";
import { mounted, useRenamed } from "./focus.js";
import { lifted } from "./lift.js";
import { Like } from "./Like.js";
import { cardTitle } from "./short.js";
import { useTold } from "./told.js";

export interface CardFaceProps {
  readonly card: Card;
  readonly editable: boolean;
  readonly likeable: boolean;
  /** A ref: who wants to know how high it is. */
  readonly measure?: ((li: HTMLElement | null) => void) | undefined;
}

export const CardFace = memo(function CardFace({ card, editable, likeable, measure }: CardFaceProps) {
  const desk = useDesk();
  const { id } = card;
  const title = cardTitle(card.title);
  const ref = useRef<HTMLLIElement>(null);
  const slow = desk.slow.of(id).value;
  const isRefused = useTold(() => refused.value.has(id));
  const isRenamed = useRenamed(id);
  const isLifted = useTold(() => (lifted.value?.id === id ? lifted.value.by : undefined));
  useLayoutEffect(() => mounted(id), [id]);
  useLayoutEffect(() => {
    measure?.(ref.current);
    return () => measure?.(null);
  }, [measure]);
  return (
    <li
      ref={ref} class="card" data-id={id} data-color={card.color} data-pending={slow || undefined} data-refused={isRefused || undefined}
      data-lifted={isLifted} aria-busy={slow || undefined}
    >
      <Labels card={card} />
      {isRenamed
        ? <EditText id={id} field="title" label={say("board.cardTitle")} onDone={() => (renaming.value = undefined)} />
        : <a class="card-title" dir="auto" href={hrefOf(desk.board, id)} draggable={false} onClick={follow}>{title}</a>}
      <footer>
        <Badges card={card} />
        <AtCard id={id} />
        <Like card={card} likeable={likeable} />
      </footer>
      {editable && <Menu className="tool card-menu" label={say("board.cardMenu", { card: title })} items={() => menuOf(id, () => archive(desk, id))}><Icon name="more" /></Menu>}
    </li>
  );
});

function menuOf(id: string, away: () => void): readonly MenuItem[] {
  return [
    { label: say("board.rename"), keys: "F2", run: () => (renaming.value = id) },
    { label: say("board.move"), keys: "M", run: () => (moving.value = id) },
    { label: say("board.archive"), keys: "C", run: away },
  ];
}

/** How many labels are shown; the others are a number. */
const mostLabels = 12;

function Labels({ card: { labels } }: { readonly card: Card }) {
  if (!labels?.length) return null;
  const more = labels.length - mostLabels;
  return (
    <ul class="labels">
      {labels.slice(0, mostLabels).map((id) => <LabelChip key={id} id={id} />)}
      {more > 0 && <li class="chip">{say("card.badge.more", { count: more })}</li>}
    </ul>
  );
}

function LabelChip({ id }: { readonly id: string }) {
  const label = useEntity(id);
  return label?.kind === "label" ? <li class="chip" data-color={label.color}><bdi>{labelName(label)}</bdi></li> : null;
}
