// The checklists of a card.

import type { Checklist as ChecklistEntity, Item as ItemEntity } from "@snapback/client";
import { useChildren } from "@snapback/client/react";

import { useDesk } from "../desk.js";
import { Icon } from "../parts/Icon.js";
import { Menu } from "../parts/Menu.js";
import { Sure } from "../parts/Sure.js";
import { say } from "../words/words.js";
import { AddItems, AddLine } from "./Adding.js";
import { doneOf } from "./counts.js";
import { Editable } from "./Editable.js";
import { at, refocus } from "./focus.js";
import { Item } from "./Item.js";
import { useItemDrag } from "./itemdrag.js";
import { portions } from "./lines.js";

export function Checklists({ card, editable }: { readonly card: string; readonly editable: boolean }) {
  const { store } = useDesk();
  const all = useChildren(card, "checklist");
  const drag = useItemDrag(store);
  return (
    <div class="checklists" {...(editable ? drag : {})}>
      {all.map((list, i) => <Checklist key={list.id} list={list} above={all[i - 1]} below={all[i + 1]} others={all} editable={editable} />)}
      {editable && (
        <AddLine
          draft={`checklist-${card}`} label={say("card.checklist.new")} field={say("card.checklist.title")} button={say("card.add")} first={say("card.checklist.first")}
          add={(title) => {
            const sent = store.create("checklist", { cardId: card, title });
            refocus(`${at(sent.entityId)} .add`);
            return sent;
          }}
        />
      )}
    </div>
  );
}

function Checklist({ list, above, below, others, editable }: {
  readonly list: ChecklistEntity;
  readonly above: ChecklistEntity | undefined;
  readonly below: ChecklistEntity | undefined;
  readonly others: readonly ChecklistEntity[];
  readonly editable: boolean;
}) {
  const { store } = useDesk();
  const { id } = list;
  const title = list.title || say("card.checklist");
  const items = useChildren(id, "item");
  const remove = () => {
    store.remove(id);
    refocus(".checklists > .add");
  };
  const add = (lines: readonly string[]) => portions(lines).map((some) => (
    store.transact(some.map((text) => ({ entityId: store.newId(), patch: { kind: "item", checklistId: id, text }, ifRev: 0 })))
  )).at(-1)!;
  return (
    <section class="checklist" data-id={id} aria-label={title}>
      <header class="part-head">
        <Icon name="check" />
        <Editable id={id} field="title" label={say("card.checklist.title")} name={say("card.checklist.rename", { title })} editable={editable}>
          {(edit) => <h3 dir="auto" onDblClick={edit}>{title}</h3>}
        </Editable>
        <Progress items={items} title={title} />
        {editable && (above || below) && (
          <Menu
            label={say("card.checklist.menu", { title })}
            items={[
              { label: say("card.up"), disabled: !above, run: () => above && store.mutate(id, { position: { before: above.id } }) },
              { label: say("card.down"), disabled: !below, run: () => below && store.mutate(id, { position: { after: below.id } }) },
            ]}
          >
            <Icon name="more" />
          </Menu>
        )}
        {editable && (
          <Sure
            name={say("card.checklist.delete", { title })} act={say("card.delete")} face={<Icon name="trash" />} run={remove}
            question={() => say("card.checklist.sure", { title, count: items.length })}
          />
        )}
      </header>
      <ul class="items" data-checklist={id}>
        {items.map((item, i) => (
          <Item key={item.id} item={item} above={items[i - 1]?.id} below={items[i + 1]?.id} others={others} editable={editable} />
        ))}
      </ul>
      {editable && <AddItems draft={`items-${id}`} title={title} add={add} />}
    </section>
  );
}

function Progress({ items, title }: { readonly items: readonly ItemEntity[]; readonly title: string }) {
  const done = doneOf(items);
  if (!items.length) return null;
  return (
    <span class="progress">
      <progress value={done} max={items.length} aria-label={title} />
      <span>{say("card.progress", { done, all: items.length })}</span>
    </span>
  );
}
