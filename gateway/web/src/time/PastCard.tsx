// One card as it was.

import type { Card, Column, Item } from "@snapback/client";
import { useChildren, useEntity } from "@snapback/client/react";

import { Dates } from "../card/Dates.js";
import { Labels } from "../card/Labels.js";
import { People, Person } from "../card/People.js";
import { Prose } from "../card/Prose.js";
import { useDesk } from "../desk.js";
import { Dialog } from "../parts/Dialog.js";
import { Icon } from "../parts/Icon.js";
import { hrefOf, navigate } from "../route.js";
import { exactly } from "../words/dates.js";
import { say } from "../words/words.js";
import { moment } from "./telling.js";

export function PastCard({ id, mark }: { readonly id: string; readonly mark: string }) {
  const { board } = useDesk();
  const card = useEntity<Card>(id);
  const isCard = card?.kind === "card";
  const close = () => navigate(hrefOf(board) + location.hash);
  return (
    <Dialog label={isCard ? card.title : say("card.unnamed")} className="card-dialog past-card" onClose={close}>
      <div class="card-body">
        <p class="past-mark"><Icon name="history" /><span>{say("time.card", { mark })}</span></p>
        {isCard ? <Body card={card} /> : <p class="absent" role="status">{say("time.cardGone")}</p>}
      </div>
    </Dialog>
  );
}

function Body({ card }: { readonly card: Card }) {
  const column = useEntity<Column>(card.columnId);
  const lists = useChildren(card.id, "checklist");
  const files = useChildren(card.id, "file");
  const comments = useChildren(card.id, "comment");
  return (
    <div class="card-parts">
      <div class="card-main">
        <header class="card-head" data-color={card.color}>
          <div class="card-name"><h2 dir="auto">{card.title}</h2></div>
          {column && <p class="quiet"><bdi>{column.title}</bdi></p>}
        </header>
        <div class="props">
          <Labels card={card} editable={false} />
          <People card={card} editable={false} />
          <Dates card={card} editable={false} />
        </div>
        {card.description && (
          <section class="description" aria-label={say("card.description")}>
            <h3>{say("card.description")}</h3>
            <Prose text={card.description} />
          </section>
        )}
        {lists.map(({ id, title }) => <List key={id} id={id} title={title || say("card.checklist")} />)}
        {files.length > 0 && (
          <section class="card-files" aria-label={say("card.files")}>
            <header class="part-head"><Icon name="clip" /><h3>{say("card.files")}</h3></header>
            <ul class="file-list">{files.map(({ id, name }) => <li key={id} class="file"><bdi>{name}</bdi></li>)}</ul>
          </section>
        )}
      </div>
      <div class="card-talk">
        <section class="comments" aria-label={say("card.comments")}>
          <header class="part-head"><Icon name="comment" /><h3>{say("card.comments")}</h3></header>
          {!comments.length && <p class="quiet">{say("card.comments.none")}</p>}
          <ol class="said">
            {comments.toReversed().map(({ id, text, createdBy = "", createdAt }) => (
              <li key={id} class="comment" data-id={id}>
                <header>
                  <Person user={createdBy} named />
                  {createdAt && <time class="quiet" dateTime={createdAt} title={exactly(createdAt)}>{moment(createdAt)}</time>}
                </header>
                <div class="comment-body"><Prose text={text} /></div>
              </li>
            ))}
          </ol>
        </section>
      </div>
    </div>
  );
}

function List({ id, title }: { readonly id: string; readonly title: string }) {
  const items = useChildren(id, "item");
  return (
    <section class="checklist" data-id={id} aria-label={title}>
      <header class="part-head"><Icon name="check" /><h3 dir="auto">{title}</h3></header>
      <ul class="past-items">{items.map((item) => <OneItem key={item.id} item={item} />)}</ul>
    </section>
  );
}

function OneItem({ item: { text, done } }: { readonly item: Item }) {
  return (
    <li data-done={done || undefined} aria-label={say(done ? "time.item.done" : "time.item.open", { text })}>
      <span class="past-tick" aria-hidden="true">{done && <Icon name="check" />}</span><span dir="auto">{text}</span>
    </li>
  );
}
