// The labels of the board: made, named, coloured, put in order, deleted.

import { useState } from "preact/hooks";

import type { Label } from "@snapback/client";
import { useBoard, useList } from "@snapback/client/react";

import { atLeast, useDesk } from "../desk.js";
import { Icon } from "../parts/Icon.js";
import { Pop } from "../parts/Pop.js";
import { Sure } from "../parts/Sure.js";
import { say } from "../words/words.js";
import { ColourPicker } from "./ColourPicker.js";
import { colourName, labelName, nextColour } from "./colours.js";
import { Editable } from "./Editable.js";
import { refocus } from "./focus.js";

export function LabelsPanel() {
  const { me, board } = useBoard();
  const all = useList("label");
  const editable = atLeast(me?.role, "editor") && !board?.archived;
  return (
    <div class="labels-panel">
      {!all.length && <p class="quiet">{say("card.labels.none")}</p>}
      <ul>
        {all.map((label, i) => <Row key={label.id} label={label} above={all[i - 1]?.id} below={all[i + 1]?.id} editable={editable} />)}
      </ul>
      {editable && <Make all={all} />}
    </div>
  );
}

function Row({ label, above, below, editable }: {
  readonly label: Label;
  readonly above: string | undefined;
  readonly below: string | undefined;
  readonly editable: boolean;
}) {
  const { store } = useDesk();
  const { id, color } = label;
  const name = labelName(label);
  const remove = () => {
    store.remove(id);
    refocus(".labels-panel form input");
  };
  return (
    <li class="label-row" data-id={id}>
      <Editable id={id} field="name" label={say("card.label.name")} name={say("card.label.rename", { name })} editable={editable}>
        {(edit) => <span class="chip" data-color={color} title={name} onDblClick={edit}><bdi>{name}</bdi></span>}
      </Editable>
      {editable && (
        <>
          <Pop label={say("card.color")} name={say("card.label.color", { name, color: colourName(color) })} face={<span class="dot" data-color={color} />}>
            {() => <ColourPicker value={color} choose={(next) => store.mutate(id, { color: next })} />}
          </Pop>
          <button
            type="button" class="tool" aria-label={say("card.label.up", { name })} title={say("card.up")} aria-disabled={!above}
            onClick={() => above && store.mutate(id, { position: { before: above } })}
          >
            <Icon name="up" />
          </button>
          <button
            type="button" class="tool" aria-label={say("card.label.down", { name })} title={say("card.down")} aria-disabled={!below}
            onClick={() => below && store.mutate(id, { position: { after: below } })}
          >
            <Icon name="down" />
          </button>
          <Sure
            name={say("card.label.delete", { name })} act={say("card.delete")} face={<Icon name="trash" />} run={remove}
            question={() => say("card.label.sure", { name, count: store.list("card").filter((c) => !c.archived && c.labels?.includes(id)).length })}
          />
        </>
      )}
    </li>
  );
}

function Make({ all }: { readonly all: readonly Label[] }) {
  const { store } = useDesk();
  const [name, setName] = useState("");
  const [chosen, setChosen] = useState<string | null>();
  const color = chosen === undefined ? nextColour(all.map((l) => l.color)) : chosen;
  return (
    <form
      class="picker"
      onSubmit={(e) => {
        e.preventDefault();
        if (!name.trim() && !color) return;
        store.create("label", { ...(name.trim() && { name: name.trim() }), color });
        setName("");
        setChosen(undefined);
      }}
    >
      <label class="picker-field">
        {say("card.label.new")}
        <input type="text" dir="auto" maxLength={255} autocomplete="off" value={name} onInput={(e) => setName(e.currentTarget.value)} />
      </label>
      <ColourPicker value={color ?? undefined} choose={setChosen} />
      <p class="sure-choice"><button type="submit" class="primary">{say("card.labels.create")}</button></p>
    </form>
  );
}
