// One card with all that belongs to it.

import { useEffect, useRef } from "preact/hooks";

import type { Card, Column } from "@snapback/client";
import { useBoard, useEntity } from "@snapback/client/react";

import { restore } from "../actions.js";
import { atLeast, useDesk } from "../desk.js";
import { CardFiles } from "../files/CardFiles.js";
import { Dialog } from "../parts/Dialog.js";
import { Icon } from "../parts/Icon.js";
import { hrefOf, navigate } from "../route.js";
import { here, moving } from "../ui.js";
import { say } from "../words/words.js";
import { Checklists } from "./Checklists.js";
import { Comments } from "./Comments.js";
import { Dates } from "./Dates.js";
import { Description } from "./Description.js";
import { Foot } from "./Foot.js";
import { Head } from "./Head.js";
import { Labels } from "./Labels.js";
import { useLoading } from "./loading.js";
import { People } from "./People.js";
import { rightsOf, type Rights } from "./standing.js";

export function CardDialog({ id }: { readonly id: string }) {
  const desk = useDesk();
  const card = useEntity<Card>(id);
  const isCard = card?.kind === "card";
  const loading = useLoading(id);
  const seen = useRef(false);
  seen.current ||= isCard;
  useEffect(() => {
    here.value = { card: id, doing: "look" };
    return () => {
      if (here.value.card === id) here.value = {};
    };
  }, [id]);
  const close = () => navigate(hrefOf(desk.board));
  return (
    <Dialog label={isCard ? card.title : say("card.unnamed")} className="card-dialog" onClose={close}>
      <div class="card-body">
        <Standing />
        {isCard ? <Body card={card} loading={loading} /> : <Absent missing={loading.missing || card !== undefined} deleted={seen.current} close={close} />}
      </div>
    </Dialog>
  );
}

/** How the connection stands, where the bar at the top is covered; nothing while all is well. Losing it is announced elsewhere. */
function Standing() {
  const { status } = useBoard();
  return status === "live" ? null : <p class="standing card-standing" data-status={status}>{say(`status.${status}`)}</p>;
}

/** In place of a card that is not there, or not yet. */
function Absent({ missing, deleted, close }: { readonly missing: boolean; readonly deleted: boolean; close(): void }) {
  const { status } = useBoard();
  if (!missing && !deleted) return <p class="absent" role="status">{say(status === "live" || status === "connecting" ? "card.loading" : "card.offline")}</p>;
  return (
    <div class="absent" role="alert">
      <h2>{say(deleted ? "card.deleted" : "card.missing")}</h2>
      <p>{say(deleted ? "card.deleted.why" : "card.missing.why")}</p>
      <p><button type="button" class="primary" onClick={close}>{say("top.close")}</button></p>
    </div>
  );
}

function Body({ card, loading }: { readonly card: Card; readonly loading: ReturnType<typeof useLoading> }) {
  const { me, board } = useBoard();
  const column = useEntity<Column>(card.columnId);
  const rights = rightsOf(card, column, board, (needed) => atLeast(me?.role, needed));
  const { edit, comment } = rights;
  return (
    <>
      <Banner card={card} rights={rights} column={column?.title} />
      <div class="card-parts">
        <div class="card-main">
          <Head card={card} column={column} rights={rights} />
          <div class="props">
            <Labels card={card} editable={edit} />
            <People card={card} editable={edit} />
            <Dates card={card} editable={edit} />
          </div>
          <Description card={card} editable={edit} />
          <Checklists card={card.id} editable={edit} />
          <section class="card-files" aria-label={say("card.files")}>
            <header class="part-head"><Icon name="clip" /><h3>{say("card.files")}</h3></header>
            <CardFiles cardId={card.id} frozen={!edit} />
          </section>
        </div>
        <div class="card-talk">
          <Comments card={card} loading={loading} writable={comment} />
          <Foot card={card} />
        </div>
      </div>
    </>
  );
}

/** Why nothing can be changed, and what can be done about it. */
function Banner({ card, rights: { archived, restore: may }, column }: {
  readonly card: Card;
  readonly rights: Rights;
  readonly column: string | undefined;
}) {
  const desk = useDesk();
  if (!archived) return null;
  return (
    <div class="banner" role="status">
      <p>{archived === "column" && column ? say("card.archived.columnNamed", { column }) : say(`card.archived.${archived}`)}</p>
      {may && archived === "card" && <button type="button" class="second" onClick={() => restore(desk, card.id)}>{say("card.restore")}</button>}
      {may && archived === "column" && <button type="button" class="second" onClick={() => (moving.value = card.id)}>{say("card.move")}</button>}
    </div>
  );
}
