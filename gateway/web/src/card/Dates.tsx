// When a card begins and is due, and whether it is done.

import { useRef } from "preact/hooks";

import type { Card } from "@snapback/client";

import { useDesk } from "../desk.js";
import { Icon } from "../parts/Icon.js";
import { Pop } from "../parts/Pop.js";
import { exactly, onTime } from "../words/dates.js";
import { say } from "../words/words.js";
import { dueState, fromInputs, inUTC, toInputs } from "./due.js";
import { present } from "./now.js";

export function Dates({ card, editable }: { readonly card: Card; readonly editable: boolean }) {
  const { store } = useDesk();
  const { id, start, due, done } = card;
  if (!editable && !start && !due && !done) return null;
  const finish = () => store.mutate(id, { done: done ? null : inUTC(new Date()) });
  return (
    <section class="prop">
      <h3>{say("card.dates")}</h3>
      <div class="prop-values">
        <Day id={id} field="start" value={start} editable={editable} />
        <Day id={id} field="due" value={due} editable={editable} />
        {due && <DueMark due={due} done={done} />}
        {editable
          ? <label class="choice"><input type="checkbox" checked={!!done} onChange={finish} />{say("card.done")}</label>
          : !due && done && <span>{say("card.due.done")}</span>}
      </div>
    </section>
  );
}

/** How a due date stands, in a word. */
function DueMark({ due, done }: { readonly due: string; readonly done?: string | undefined }) {
  const state = dueState(due, done, present());
  return state === "later" ? null : <span class="due" data-due={state}>{say(`card.due.${state}`)}</span>;
}

function Day({ id, field, value, editable }: {
  readonly id: string;
  readonly field: "start" | "due";
  readonly value: string | undefined;
  readonly editable: boolean;
}) {
  const name = say(`card.${field}`);
  const text = value && <time dateTime={value} title={exactly(value)}>{say(`card.${field}.at`, { when: onTime(value) })}</time>;
  if (!editable) return text ? <span>{text}</span> : null;
  return (
    <Pop label={name} name={value ? say(`card.${field}.change`, { when: onTime(value) }) : say(`card.${field}.set`)} className="second small" face={text || <><Icon name="clock" />{name}</>}>
      {(close) => <Inputs id={id} field={field} value={value} close={close} />}
    </Pop>
  );
}

/** Nothing is sent before it is saved: a year is typed digit by digit. */
function Inputs({ id, field, value, close }: {
  readonly id: string;
  readonly field: "start" | "due";
  readonly value: string | undefined;
  close(): void;
}) {
  const { store } = useDesk();
  const day = useRef<HTMLInputElement>(null);
  const clock = useRef<HTMLInputElement>(null);
  const held = toInputs(value);
  const set = (next: string | null) => {
    if (next !== (value ?? null)) store.mutate(id, { [field]: next });
    close();
  };
  return (
    <form
      class="picker"
      onSubmit={(e) => {
        e.preventDefault();
        const asked = { day: day.current!.value, clock: clock.current!.value };
        set(asked.day === held.day && asked.clock === held.clock ? (value ?? null) : fromInputs(asked));
      }}
    >
      <label class="picker-field">{say("card.day")}<input ref={day} type="date" required data-first defaultValue={held.day} min="1970-01-01" max="9999-12-31" /></label>
      <label class="picker-field">{say("card.clock")}<input ref={clock} type="time" defaultValue={held.clock} /></label>
      <p class="sure-choice">
        <button type="submit" class="primary">{say("card.save")}</button>
        {value && <button type="button" class="second" onClick={() => set(null)}>{say("card.remove")}</button>}
      </p>
    </form>
  );
}
