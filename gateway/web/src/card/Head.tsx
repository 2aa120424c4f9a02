// The head of a card: its title, where it stands, and what is done with it as a whole.

import type { Card, Column } from "@snapback/client";
import { useBoard } from "@snapback/client/react";

import { archive } from "../actions.js";
import { isLikeable, Like } from "../board/Like.js";
import { useDesk } from "../desk.js";
import { Icon } from "../parts/Icon.js";
import { Pop } from "../parts/Pop.js";
import { AtCard } from "../people/AtCard.js";
import { moving } from "../ui.js";
import { say } from "../words/words.js";
import { ColourPicker } from "./ColourPicker.js";
import { colourName } from "./colours.js";
import { Editable } from "./Editable.js";
import type { Rights } from "./standing.js";

export function Head({ card, column, rights: { edit } }: {
  readonly card: Card;
  readonly column: Column | undefined;
  readonly rights: Rights;
}) {
  const desk = useDesk();
  const { me, board } = useBoard();
  const { id, title, number, color } = card;
  return (
    <header class="card-head" data-color={color}>
      <div class="card-name">
        <Editable id={id} field="title" label={say("board.cardTitle")} name={say("card.rename")} editable={edit}>
          {(begin) => <h2 dir="auto" onClick={begin}>{title}</h2>}
        </Editable>
      </div>
      <div class="card-acts">
        {number !== undefined && <span class="quiet">{say("card.number", { number: String(number) })}</span>}
        {column && <span class="quiet">{say("card.in", { column: column.title })}</span>}
        {edit && <button type="button" class="second small" onClick={() => (moving.value = id)}>{say("card.move")}</button>}
        <Like card={card} likeable={isLikeable(board, me)} />
        {edit && (
          <Pop
            label={say("card.color")} name={say("card.color.change", { color: colourName(color) })} className="second small"
            face={<><span class="dot" data-color={color} />{say("card.color")}</>}
          >
            {() => <ColourPicker value={color} choose={(next) => desk.store.mutate(id, { color: next })} />}
          </Pop>
        )}
        {edit && <button type="button" class="second small" onClick={() => archive(desk, id)}><Icon name="archive" />{say("card.archive")}</button>}
        {desk.slow.of(id).value && <span class="quiet waits">{say("card.waits")}</span>}
        <AtCard id={id} />
      </div>
    </header>
  );
}
