// An archived card or column: brought back, opened, or deleted, which is possible here only.

import type { RefObject } from "preact";
import { useRef, useState } from "preact/hooks";

import type { Card, Column } from "@snapback/client";

import { restore } from "../actions.js";
import { nameOf, useDesk } from "../desk.js";
import { Avatar } from "../parts/Avatar.js";
import { Icon, type IconName } from "../parts/Icon.js";
import { keepFocus } from "../parts/rowfocus.js";
import { personOf } from "../people/candidates.js";
import { refused } from "../refused.js";
import { follow, hrefOf } from "../route.js";
import { announce } from "../say.js";
import { moving } from "../ui.js";
import { ago, exactly } from "../words/dates.js";
import { say } from "../words/words.js";
import { DeleteArchived } from "./DeleteArchived.js";

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
        {kind === "card" && <span>{whereOf(nameOf(store.get(entity.columnId)), column)}</span>}
        <When entity={entity} />
      </p>
      {editable && (
        <p class="archived-tools">
          {only
            ? <Tool which="move" icon="move" what={title} run={() => (moving.value = id)} />
            : <Tool which="restore" icon="undo" what={title} run={back} />}
          <Tool which="delete" icon="trash" what={title} run={() => setDeleting(true)} />
        </p>
      )}
      {deleting && (
        <DeleteArchived
          entity={entity} onClose={() => setDeleting(false)}
          onYes={() => {
            const again = keepFocus(list, row);
            // Only what is still as the dialog showed it: somebody may have brought it back meanwhile.
            const expected = kind === "card" ? { archived: entity.archived ?? null, columnId: entity.columnId } : { archived: true };
            void store.remove(id, { if: expected })
              .then((verdict) => (verdict.ok ? announce(say("archive.deleted", { what: title })) : again()));
          }}
        />
      )}
    </li>
  );
}

const whereOf = (name: string | undefined, archived: Column | undefined): string =>
  (archived ? say("archive.inArchived", { column: archived.title }) : say("archive.in", { column: name ?? say("archive.noColumn") }));

function Tool({ which, icon, what, run }: {
  readonly which: "restore" | "move" | "delete";
  readonly icon: IconName;
  readonly what: string;
  run(): void;
}) {
  const look = which === "delete" ? "tool" : "second";
  return (
    <button type="button" class={`${look} with-icon`} aria-label={say(`archive.${which}Named`, { what })} onClick={run}>
      <Icon name={icon} />{say(`archive.${which}`)}
    </button>
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
