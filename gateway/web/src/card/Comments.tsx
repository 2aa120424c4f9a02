// What people say about a card, newest first; older pages on demand.

import type { Card, Comment as CommentEntity } from "@snapback/client";
import { useBoard, useChildren } from "@snapback/client/react";

import { atLeast, useDesk } from "../desk.js";
import { Icon } from "../parts/Icon.js";
import { Sure } from "../parts/Sure.js";
import { refused } from "../refused.js";
import { Compose } from "../text/Compose.js";
import { useBegun } from "../text/Unsaved.js";
import { ago, exactly } from "../words/dates.js";
import { say } from "../words/words.js";
import { commentsOf } from "./counts.js";
import { Editable } from "./Editable.js";
import { refocus } from "./focus.js";
import type { Loading } from "./loading.js";
import { present } from "./now.js";
import { shownComments } from "./paging.js";
import { Person } from "./People.js";
import { Prose } from "./Prose.js";

export function Comments({ card, loading, writable }: { readonly card: Card; readonly loading: Loading; readonly writable: boolean }) {
  const { store } = useDesk();
  const { me, status } = useBoard();
  const { id } = card;
  const all = useChildren(id, "comment");
  const { fetched, busy, older } = loading;
  const shown = shownComments(all, fetched);
  const begun = useBegun(`comment-${id}`);
  return (
    <section class="comments" aria-label={say("card.comments")}>
      <header class="part-head">
        <Icon name="comment" />
        <h3>{say("card.comments")}</h3>
        <span class="quiet comment-count">{say("card.count", { count: commentsOf(store, card) })}</span>
      </header>
      {(writable || begun) && (
        <Compose
          name={`comment-${id}`} label={say("card.comment.new")} button={say("card.comment.send")} multiline
          submit={(text) => store.create("comment", { cardId: id, text })}
        />
      )}
      <ol class="said">
        {shown.map((comment) => (
          <Comment key={comment.id} comment={comment} own={writable && comment.createdBy === me?.user} admin={writable && atLeast(me?.role, "admin")} />
        ))}
      </ol>
      {!shown.length && fetched && <p class="quiet">{say("card.comments.none")}</p>}
      {fetched?.before && <button type="button" class="second" disabled={busy || status !== "live"} onClick={older}>{say("card.comments.older")}</button>}
      {busy && <p class="quiet" role="status">{say("card.loading")}</p>}
      {!fetched && status === "offline" && <p class="quiet" role="status">{say("card.comments.offline")}</p>}
    </section>
  );
}

function Comment({ comment, own, admin }: { readonly comment: CommentEntity; readonly own: boolean; readonly admin: boolean }) {
  const { store, slow } = useDesk();
  const { id, text, createdBy = "", createdAt, createdRev, rev, updatedAt } = comment;
  const waits = slow.of(id).value;
  const now = present();
  const remove = () => {
    store.remove(id);
    refocus(".comments textarea");
  };
  return (
    <li class="comment" data-id={id} data-pending={waits || undefined} data-refused={refused.value.has(id) || undefined}>
      <header>
        <Person user={createdBy} named />
        {createdAt && <time class="quiet" dateTime={createdAt} title={exactly(createdAt)}>{ago(Math.min(Date.parse(createdAt), now), now)}</time>}
        {waits && <span class="quiet waits">{say("card.waits")}</span>}
        {updatedAt && rev !== createdRev && <span class="quiet" title={exactly(updatedAt)}>{say("card.comment.edited")}</span>}
      </header>
      <div class="comment-body">
        <Editable id={id} field="text" label={say("card.comment.text")} name={say("card.comment.edit")} multiline editable={own}>
          {() => <Prose text={text} />}
        </Editable>
        {(own || admin) && (
          <Sure
            name={say("card.comment.delete")} question={() => say("card.comment.sure")} act={say("card.delete")} face={<Icon name="trash" />}
            run={remove}
          />
        )}
      </div>
    </li>
  );
}
