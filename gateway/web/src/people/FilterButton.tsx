// What the board is narrowed to besides words: labels, people, due dates.

import { useState } from "preact/hooks";

import { useBoard, useList } from "@snapback/client/react";

import { labelName } from "../card/colours.js";
import { Avatar } from "../parts/Avatar.js";
import { Icon } from "../parts/Icon.js";
import { Pop } from "../parts/Pop.js";
import { filter, type Filter } from "../ui.js";
import { say } from "../words/words.js";
import { candidates, matches } from "./candidates.js";
import { narrow } from "./filter.js";

export function FilterButton() {
  const { labels, assignees, due } = filter.value;
  const count = labels.length + assignees.length + (due ? 1 : 0);
  return (
    <Pop
      label={say("filter.label")} name={count ? say("filter.active", { count }) : say("filter.label")} className={count ? "tool filter-on" : "tool"}
      face={<><Icon name="filter" />{count > 0 && <span>{count}</span>}</>}
    >
      {() => <Choices />}
    </Pop>
  );
}

const turn = (list: readonly string[], one: string): readonly string[] => (list.includes(one) ? list.filter((x) => x !== one) : [...list, one]);

function Choices() {
  return (
    <div class="filter-choices">
      <LabelChoice />
      <PeopleChoice />
      <label class="field">
        {say("filter.due")}
        <select value={filter.value.due} onChange={(e) => narrow({ due: e.currentTarget.value as Filter["due"] })}>
          <option value="">{say("filter.anyDue")}</option>
          <option value="overdue">{say("filter.overdue")}</option>
          <option value="week">{say("filter.week")}</option>
          <option value="none">{say("filter.none")}</option>
        </select>
      </label>
    </div>
  );
}

function LabelChoice() {
  const all = useList("label");
  const { labels, every } = filter.value;
  return (
    <fieldset>
      <legend>{say("filter.labels")}</legend>
      {!all.length && <p class="hint">{say("filter.noLabels")}</p>}
      <ul class="tick-list">
        {all.map((label) => (
          <li key={label.id}>
            <label class="tick">
              <input type="checkbox" checked={labels.includes(label.id)} onChange={() => narrow({ labels: turn(labels, label.id) })} />
              <span class="chip" data-color={label.color}><bdi>{labelName(label)}</bdi></span>
            </label>
          </li>
        ))}
      </ul>
      {labels.length > 1 && (
        <p class="choices">
          <label class="tick"><input type="radio" name="every" checked={!every} onChange={() => narrow({ every: false })} />{say("filter.any")}</label>
          <label class="tick"><input type="radio" name="every" checked={Boolean(every)} onChange={() => narrow({ every: true })} />{say("filter.every")}</label>
        </p>
      )}
    </fieldset>
  );
}

/** So many people are offered at once; the others are found by name. */
const offered = 12;

function PeopleChoice() {
  const { store, me } = useBoard();
  const [words, setWords] = useState("");
  const { assignees } = filter.value;
  const mine = me?.user;
  const people = candidates(store, mine, assignees, true);
  const shown = people.filter((p) => (words ? matches(words, p.name, p.user) : true)).slice(0, offered);
  return (
    <fieldset>
      <legend>{say("filter.assignees")}</legend>
      {people.length > offered && (
        <input type="search" dir="auto" aria-label={say("members.name")} placeholder={say("members.name")} value={words} onInput={(e) => setWords(e.currentTarget.value)} />
      )}
      <ul class="tick-list">
        {shown.map(({ user, name, picture }) => (
          <li key={user}>
            <label class="tick">
              <input type="checkbox" checked={assignees.includes(user)} onChange={() => narrow({ assignees: turn(assignees, user) })} />
              <span aria-hidden="true"><Avatar user={user} name={name} picture={picture} /></span>
              <bdi>{user === mine ? say("people.you", { name }) : name}</bdi>
            </label>
          </li>
        ))}
      </ul>
    </fieldset>
  );
}
