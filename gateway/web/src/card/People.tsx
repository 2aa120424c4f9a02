// Who a card is assigned to.

import { useState } from "preact/hooks";

import type { Card } from "@snapback/client";
import { useBoard, useEntity, useList } from "@snapback/client/react";

import { useDesk } from "../desk.js";
import { Avatar } from "../parts/Avatar.js";
import { Icon } from "../parts/Icon.js";
import { Pop } from "../parts/Pop.js";
import { candidates, matches, personOf } from "../people/candidates.js";
import { who } from "../session.js";
import { say } from "../words/words.js";

/** A person by picture and name; with the name when it is to be read. */
export function Person({ user, named = false }: { readonly user: string; readonly named?: boolean }) {
  const { store } = useDesk();
  useEntity(`member:${user}`);
  const { name, picture } = personOf(store, user);
  if (!named) return <Avatar user={user} name={name} picture={picture} />;
  return <span class="person"><span aria-hidden="true"><Avatar user={user} name={name} picture={picture} /></span><bdi>{name}</bdi></span>;
}

export function People({ card, editable }: { readonly card: Card; readonly editable: boolean }) {
  const { store } = useDesk();
  const { me } = useBoard();
  useList("member");
  const { id, assignees = [] } = card;
  if (!editable && !assignees.length) return null;
  const open = !who.value.token;
  const mine = me !== undefined && assignees.includes(me.user);
  const mayBe = me !== undefined && (mine || open || store.get(`member:${me.user}`) !== undefined);
  return (
    <section class="prop">
      <h3>{say("card.people")}</h3>
      <div class="prop-values">
        {assignees.length > 0 && <ul class="people">{assignees.map((user) => <li key={user}><Person user={user} named /></li>)}</ul>}
        {editable && (
          <Pop label={say("card.people")} name={say("card.people.choose")} face={<Icon name="plus" />}>
            {() => <Picker id={id} open={open} />}
          </Pop>
        )}
        {editable && mayBe && !mine && (
          <button type="button" class="second small" onClick={() => store.mutate(id, { assignees: { add: me.user } })}>{say("card.people.me")}</button>
        )}
      </div>
    </section>
  );
}

const assigneesOf = (card: Card | undefined) => card?.assignees;

function Picker({ id, open }: { readonly id: string; readonly open: boolean }) {
  const { store } = useDesk();
  const { me } = useBoard();
  const assigned = useEntity<Card, readonly string[] | undefined>(id, assigneesOf) ?? [];
  const [typed, setTyped] = useState("");
  const all = candidates(store, me?.user, assigned, open);
  const found = all.filter(({ user, name }) => matches(typed, user, name));
  const name = typed.trim();
  const isNew = open && name !== "" && !all.some(({ user }) => user === name);
  const toggle = (user: string) => store.mutate(id, { assignees: assigned.includes(user) ? { remove: user } : { add: user } });
  const choose = (user: string) => {
    toggle(user);
    setTyped("");
  };
  return (
    <form
      class="picker"
      onSubmit={(e) => {
        e.preventDefault();
        if (found[0] && name) choose(found[0].user);
        else if (isNew) choose(name);
      }}
    >
      <input
        type="text" dir="auto" data-first autocomplete="off" maxLength={255} value={typed} aria-label={say("card.people.find")} placeholder={say("card.people.find")}
        onInput={(e) => setTyped(e.currentTarget.value)}
      />
      <ul class="picker-list">
        {found.map(({ user, name: called }) => (
          <li key={user}>
            <label class="choice">
              <input type="checkbox" checked={assigned.includes(user)} onChange={() => toggle(user)} />
              <Person user={user} named />
              {user === me?.user && <span class="quiet">{say("card.people.you")}</span>}
              {called !== user && <span class="quiet"><bdi>{user}</bdi></span>}
            </label>
          </li>
        ))}
      </ul>
      {!found.length && !isNew && <p class="quiet" role="status">{say("card.people.noneFound")}</p>}
      {isNew && <button type="button" class="second" onClick={() => choose(name)}>{say("card.people.add", { name })}</button>}
    </form>
  );
}
