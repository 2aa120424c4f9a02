// The labels of a card, and choosing among those of the board.

import { useRef, useState } from "preact/hooks";

import type { Card, Label } from "@snapback/client";
import { useEntity, useList } from "@snapback/client/react";

import { useDesk } from "../desk.js";
import { Icon } from "../parts/Icon.js";
import { Pop } from "../parts/Pop.js";
import { matches } from "../people/candidates.js";
import { say } from "../words/words.js";
import { ColourPicker } from "./ColourPicker.js";
import { colourName, labelName, nextColour } from "./colours.js";

export function Labels({ card, editable }: { readonly card: Card; readonly editable: boolean }) {
  const on = card.labels;
  const labels = useList("label").filter(({ id }) => on?.includes(id)); // in the order of the board's
  if (!editable && !labels.length) return null;
  return (
    <section class="prop">
      <h3>{say("card.labels")}</h3>
      <div class="prop-values">
        {labels.length > 0 && <ul class="labels">{labels.map((label) => <li key={label.id} class="chip" data-color={label.color}><bdi>{labelName(label)}</bdi></li>)}</ul>}
        {editable && (
          <Pop label={say("card.labels")} name={say("card.labels.choose")} face={<Icon name="plus" />}>
            {() => <Picker card={card.id} />}
          </Pop>
        )}
      </div>
    </section>
  );
}

const labelsOf = (card: Card | undefined) => card?.labels;

function Picker({ card }: { readonly card: string }) {
  const { store } = useDesk();
  const all = useList("label");
  const on = useEntity<Card, readonly string[] | undefined>(card, labelsOf) ?? [];
  const [typed, setTyped] = useState("");
  const [making, setMaking] = useState<string>();
  const input = useRef<HTMLInputElement>(null);
  const found = all.filter((label) => matches(typed, label.name ?? "", colourName(label.color)));
  const name = typed.trim();
  const field = say(making === undefined ? "card.labels.find" : "card.label.name");
  const toggle = ({ id }: Label) => store.mutate(card, { labels: on.includes(id) ? { remove: id } : { add: id } });
  const begin = () => {
    setMaking(nextColour(all.map(({ color }) => color)));
    input.current?.focus();
  };
  const cancel = () => {
    setMaking(undefined);
    input.current?.focus();
  };
  const make = () => {
    const id = store.newId();
    store.transact([
      { entityId: id, patch: { kind: "label", ...(name && { name }), color: making || null }, ifRev: 0 },
      { entityId: card, patch: { labels: { add: id } } },
    ]);
    setTyped("");
    cancel();
  };
  return (
    <form
      class="picker"
      onSubmit={(e) => {
        e.preventDefault();
        if (making !== undefined) make();
        else if (found[0] && name) {
          toggle(found[0]);
          setTyped("");
        } else if (name) begin();
      }}
    >
      <input
        ref={input} type="text" dir="auto" data-first autocomplete="off" maxLength={255} value={typed}
        aria-label={field} placeholder={field}
        onInput={(e) => setTyped(e.currentTarget.value)}
      />
      {making === undefined ? (
        <>
          <ul class="picker-list">
            {found.map((label) => (
              <li key={label.id}>
                <label class="choice">
                  <input type="checkbox" checked={on.includes(label.id)} onChange={() => toggle(label)} />
                  <span class="chip" data-color={label.color}><bdi>{labelName(label)}</bdi></span>
                </label>
              </li>
            ))}
          </ul>
          {!found.length && <p class="quiet" role="status">{say(all.length ? "card.labels.noneFound" : "card.labels.none")}</p>}
          <button type="button" class="second" onClick={begin}>{name ? say("card.labels.makeNamed", { name }) : say("card.labels.make")}</button>
        </>
      ) : (
        <>
          <ColourPicker value={making || undefined} choose={(colour) => setMaking(colour ?? "")} />
          <p class="sure-choice">
            <button type="submit" class="primary">{say("card.labels.create")}</button>
            <button type="button" class="second" onClick={cancel}>{say("card.cancel")}</button>
          </p>
        </>
      )}
    </form>
  );
}
