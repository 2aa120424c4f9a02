// A card as it stands on the board.

import type { Card } from "@snapback/client";
import { useEntity } from "@snapback/client/react";

import { archive } from "../actions.js";
import { useDesk } from "../desk.js";
import { Icon } from "../parts/Icon.js";
import { Menu } from "../parts/Menu.js";
import { AtCard } from "../people/AtCard.js";
import { refused } from "../refused.js";
import { follow, hrefOf } from "../route.js";
import { EditText } from "../text/EditText.js";
import { moving, renaming } from "../ui.js";
import { say } from "../words/words.js";
import { Badges } from "./Badges.js";
import { Like } from "./Like.js";

export function CardFace({ card, editable }: { readonly card: Card; readonly editable: boolean }) {
  const desk = useDesk();
  const { id, title } = card;
  const slow = desk.slow.of(id).value;
  return (
    <li class="card" data-id={id} data-color={card.color} data-pending={slow || undefined} data-refused={refused.value.has(id) || undefined} aria-busy={slow || undefined}>
      <Labels card={card} />
      {renaming.value === id
        ? <EditText id={id} field="title" label={say("board.cardTitle")} onDone={() => (renaming.value = undefined)} />
        : <a class="card-title" dir="auto" href={hrefOf(desk.board, id)} draggable={false} onClick={follow}>{title}</a>}
      <footer>
        <Badges card={card} />
        <AtCard id={id} />
        <Like card={card} />
        {editable && (
          <Menu
            label={say("board.cardMenu", { card: title })}
            items={[
              { label: say("board.rename"), keys: "F2", run: () => (renaming.value = id) },
              { label: say("board.move"), keys: "M", run: () => (moving.value = id) },
              { label: say("board.archive"), keys: "C", run: () => archive(desk, id) },
            ]}
          >
            <Icon name="more" />
          </Menu>
        )}
      </footer>
    </li>
  );
}

function Labels({ card: { labels } }: { readonly card: Card }) {
  if (!labels?.length) return null;
  return <ul class="labels">{labels.map((id) => <LabelChip key={id} id={id} />)}</ul>;
}

function LabelChip({ id }: { readonly id: string }) {
  const label = useEntity(id);
  return label?.kind === "label" ? <li class="chip" data-color={label.color}><bdi>{label.name}</bdi></li> : null;
}
