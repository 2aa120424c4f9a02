// One item of a checklist: checked, edited where it stands, moved by menu, keys and pointer.

import type { Checklist, Item as ItemEntity } from "@snapback/client";

import { useDesk } from "../desk.js";
import { Icon } from "../parts/Icon.js";
import { Menu, type MenuItem } from "../parts/Menu.js";
import { onTime } from "../words/dates.js";
import { say } from "../words/words.js";
import { Editable } from "./Editable.js";
import { Person } from "./People.js";
import { Sure } from "./Sure.js";

export function Item({ item, above, below, others, editable }: {
  readonly item: ItemEntity;
  readonly above: string | undefined;
  readonly below: string | undefined;
  /** The checklists of the card. */
  readonly others: readonly Checklist[];
  readonly editable: boolean;
}) {
  const { store, slow } = useDesk();
  const { id, text, done = false, due, assignee } = item;
  const waits = slow.of(id).value || undefined;
  const up = () => above && store.mutate(id, { position: { before: above } });
  const down = () => below && store.mutate(id, { position: { after: below } });
  return (
    <li
      class="item" data-id={id} data-done={done || undefined} data-pending={waits}
      onKeyDown={(e) => {
        if (!editable || !e.altKey || e.target instanceof HTMLTextAreaElement || (e.key !== "ArrowUp" && e.key !== "ArrowDown")) return;
        e.preventDefault();
        keepFocus(e.target);
        if (e.key === "ArrowUp") up();
        else down();
      }}
    >
      {editable && <span class="grip" aria-hidden="true" />}
      <input
        type="checkbox" checked={done} disabled={!editable} aria-label={text} aria-keyshortcuts={editable ? "Alt+ArrowUp Alt+ArrowDown" : undefined}
        onChange={() => store.mutate(id, { done: done ? null : true })}
      />
      <Editable id={id} field="text" label={say("card.item.text")} name={say("card.item.edit", { text })} editable={editable}>
        {(edit) => (
          <span class="item-text" dir="auto" onClick={edit}>
            {text}
          </span>
        )}
      </Editable>
      {due && <time class="due" dateTime={due}>{onTime(due)}</time>}
      {assignee && <Person user={assignee} />}
      {editable && (
        <>
          <Menu label={say("card.item.menu", { text })} items={menuOf(item, others, up, down, above, below, (to) => store.mutate(id, { checklistId: to }))}>
            <Icon name="move" />
          </Menu>
          <Sure
            name={say("card.item.delete", { text })} question={say("card.item.sure", { text })} act={say("card.delete")} face={<Icon name="trash" />}
            run={() => store.remove(id)}
          />
        </>
      )}
    </li>
  );
}

function menuOf(
  item: ItemEntity, others: readonly Checklist[], up: () => void, down: () => void, above: string | undefined, below: string | undefined,
  to: (checklist: string) => void,
): readonly MenuItem[] {
  return [
    { label: say("card.up"), keys: "Alt ↑", disabled: !above, run: up },
    { label: say("card.down"), keys: "Alt ↓", disabled: !below, run: down },
    ...others.filter(({ id }) => id !== item.checklistId).map(({ id, title }) => (
      { label: say("card.item.to", { title: title || say("card.checklist") }), run: () => to(id) }
    )),
  ];
}

/** What has the focus keeps it when its element is put elsewhere in the list. */
function keepFocus(target: EventTarget | null): void {
  requestAnimationFrame(() => {
    if (target instanceof HTMLElement && target.isConnected && document.activeElement !== target) target.focus();
  });
}
