// One item of a checklist: checked, edited where it stands, moved by menu, keys and pointer.

import { useRef, useState } from "preact/hooks";

import type { Checklist, Item as ItemEntity, Store } from "@snapback/client";

import { useDesk } from "../desk.js";
import { Icon } from "../parts/Icon.js";
import { Menu, type MenuItem } from "../parts/Menu.js";
import { Question } from "../parts/Sure.js";
import { refused } from "../refused.js";
import { announce } from "../say.js";
import { onTime } from "../words/dates.js";
import { say } from "../words/words.js";
import { Editable } from "./Editable.js";
import { at, refocus } from "./focus.js";
import { Person } from "./People.js";

export function Item({ item, above, below, others, editable }: {
  readonly item: ItemEntity;
  /** The ids of its neighbours. */
  readonly above: string | undefined;
  readonly below: string | undefined;
  /** The checklists of the card. */
  readonly others: readonly Checklist[];
  readonly editable: boolean;
}) {
  const { store, slow } = useDesk();
  const ref = useRef<HTMLLIElement>(null);
  const [asking, setAsking] = useState(false);
  const { id, text, done = false, due, assignee } = item;
  const unask = () => {
    setAsking(false);
    ref.current?.querySelector<HTMLElement>("[aria-haspopup=menu]")?.focus();
  };
  const remove = () => {
    store.remove(id);
    refocus(`${at(below ?? above)} .check input`, `${at(item.checklistId)} .add`);
  };
  const keys = (e: KeyboardEvent) => {
    if (e.key === "Escape" && asking) {
      e.preventDefault();
      unask();
    }
    const to = e.key === "ArrowUp" ? above && { before: above } : e.key === "ArrowDown" ? below && { after: below } : undefined;
    if (!editable || !e.altKey || !to || e.target instanceof HTMLTextAreaElement) return;
    e.preventDefault();
    keepFocus(e.target);
    store.mutate(id, { position: to });
    const all = store.children(item.checklistId, "item");
    announce(say("card.item.place", { text, place: all.findIndex((other) => other.id === id) + 1, count: all.length }));
  };
  return (
    <li
      ref={ref} class="item" data-id={id} data-done={done || undefined} data-pending={slow.of(id).value || undefined}
      data-refused={refused.value.has(id) || undefined} onKeyDown={keys}
    >
      {editable && <span class="grip" aria-hidden="true" />}
      <label class="check">
        <input
          type="checkbox" checked={done} disabled={!editable} aria-label={text} aria-keyshortcuts={editable ? "Alt+ArrowUp Alt+ArrowDown" : undefined}
          onChange={() => store.mutate(id, { done: done ? null : true })}
        />
      </label>
      <Editable
        id={id} field="text" label={say("card.item.one")} name={say("card.item.edit", { text })} editable={editable}
        className="item-text" face={<span dir="auto">{text}</span>}
      >
        {(edit) => !edit && <span class="item-text" dir="auto">{text}</span>}
      </Editable>
      {due && <time class="quiet" dateTime={due}>{onTime(due)}</time>}
      {assignee && <Person user={assignee} />}
      {editable && (
        <Menu label={say("card.item.menu", { text })} items={menuOf(store, item, others, above, below, () => setAsking(true))}><Icon name="more" /></Menu>
      )}
      {asking && <Question question={say("card.item.sure", { text })} act={say("card.delete")} run={remove} close={unask} />}
    </li>
  );
}

function menuOf(
  store: Store, { id, checklistId }: ItemEntity, others: readonly Checklist[], above: string | undefined, below: string | undefined, ask: () => void,
): readonly MenuItem[] {
  return [
    { label: say("card.up"), keys: "Alt ↑", disabled: !above, run: () => above && store.mutate(id, { position: { before: above } }) },
    { label: say("card.down"), keys: "Alt ↓", disabled: !below, run: () => below && store.mutate(id, { position: { after: below } }) },
    ...others.filter((list) => list.id !== checklistId).map((list) => (
      { label: say("card.item.to", { title: list.title || say("card.checklist") }), run: () => store.mutate(id, { checklistId: list.id }) }
    )),
    { label: say("card.item.delete"), run: ask },
  ];
}

/** What has the focus keeps it when its element is put elsewhere in the list. */
function keepFocus(target: EventTarget | null): void {
  requestAnimationFrame(() => {
    if (target instanceof HTMLElement && target.isConnected && document.activeElement !== target) target.focus();
  });
}
