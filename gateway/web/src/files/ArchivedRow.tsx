// An archived card or column: brought back, opened, or deleted, which is possible here only.

import type { RefObject } from "preact";
import { useRef, useState } from "preact/hooks";

import type { Card, Column } from "@snapback/client";

import { restore } from "../actions.js";
import { personOf } from "../card/candidates.js";
import { nameOf, useDesk } from "../desk.js";
import { Avatar } from "../parts/Avatar.js";
import { Icon } from "../parts/Icon.js";
import { refused } from "../refused.js";
import { follow, hrefOf } from "../route.js";
import { announce } from "../say.js";
import { moving } from "../ui.js";
import { ago, exactly } from "../words/dates.js";
import { say } from "../words/words.js";
import { DeleteArchived } from "./DeleteArchived.js";
import { keepFocus } from "./focus.js";

export function ArchivedRow({ entity, column, list, editable }: {
  readonly entity: Card | Column;
  readonly column: Column | undefined;
  readonly list: RefObject<HTMLElement | null>;
  readonly editable: boolean;
}) {
  const desk = useDesk();
  const { store } = desk;
  const { id, kind, title } = entity;
  const row = useRef<HTMLLIElement>(null);
  const [deleting, setDeleting] = useState(false);
  const slow = desk.slow.of(id).value;
  const only = column !== undefined && !entity.archived; // it comes back with its column, or by moving out
  const back = () => {
    const again = keepFocus(list, row);
    void restore(desk, id).then((verdict) => (verdict.ok ? announce(say("archive.restored", { what: title })) : again()));
  };
  return (
    <li
      ref={row} class="archived" data-id={id} data-kind={kind} aria-busy={slow || undefined}
      data-pending={slow || undefined} data-refused={refused.value.has(id) || undefined}
    >
      <p class="archived-title">
        {kind === "card"
          ? <a dir="auto" href={hrefOf(desk.board, id)} onClick={follow}>{title}</a>
          : <span><b class="archived-kind">{say("archive.column")}</b> <bdi>{title}</bdi></span>}
      </p>
      <p class="file-about">
        {kind === "card" && <span>{column ? say("archive.inArchived", { column: column.title }) : say("archive.in", { column: nameOf(store.get(entity.columnId)) ?? say("archive.noColumn") })}</span>}
        <When entity={entity} />
      </p>
      {editable && (
        <p class="archived-tools">
          {only
            ? <button type="button" class="second with-icon" aria-label={say("archive.moveNamed", { what: title })} onClick={() => (moving.value = id)}><Icon name="move" />{say("archive.move")}</button>
            : <button type="button" class="second with-icon" aria-label={say("archive.restoreNamed", { what: title })} onClick={back}><Icon name="undo" />{say("archive.restore")}</button>}
          <button type="button" class="tool with-icon" aria-label={say("archive.deleteNamed", { what: title })} onClick={() => setDeleting(true)}><Icon name="trash" />{say("archive.delete")}</button>
        </p>
      )}
      {deleting && (
        <DeleteArchived
          entity={entity} onClose={() => setDeleting(false)}
          onYes={() => {
            const again = keepFocus(list, row);
            // Only what is still as the dialog showed it: somebody may have brought it back meanwhile.
            const expected = kind === "card" ? { archived: entity.archived ?? null, columnId: entity.columnId } : { archived: true };
            void store.remove(id, { if: expected }).then((verdict) => (verdict.ok ? announce(say("archive.deleted", { what: title })) : again()));
          }}
        />
      )}
    </li>
  );
}

function When({ entity: { updatedAt, updatedBy } }: { readonly entity: Card | Column }) {
  const { store } = useDesk();
  if (!updatedAt || !updatedBy) return null;
  const { user, name, picture } = personOf(store, updatedBy);
  return (
    <>
      <Avatar user={user} name={name} picture={picture} /> <bdi>{name}</bdi>
      <time dateTime={updatedAt} title={exactly(updatedAt)}>{ago(updatedAt)}</time>
    </>
  );
}
