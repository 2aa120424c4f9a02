// A column's limit and colour.

import { signal } from "@preact/signals";
import { useEffect, useId, useRef, useState } from "preact/hooks";

import type { Column } from "@snapback/client";
import { useEntity } from "@snapback/client/react";

import { ColourPicker } from "../card/ColourPicker.js";
import { useDesk } from "../desk.js";
import { Dialog } from "../parts/Dialog.js";
import { say } from "../words/words.js";

/** The column whose dialog is open. */
export const setting = signal<string | undefined>(undefined);

const close = () => void (setting.value = undefined);

export function LimitDialog() {
  const id = setting.value;
  useEffect(() => close, []);
  return id === undefined ? null : <Settings key={id} id={id} />;
}

function Settings({ id }: { readonly id: string }) {
  const { store } = useDesk();
  const column = useEntity<Column>(id);
  const first = useRef(column);
  const [limit, setLimit] = useState(column?.wipLimit ?? 0);
  const [mode, setMode] = useState<"hard" | "soft">(column?.wipMode ?? "hard");
  const radio = useId();
  if (!column) return null;
  const save = (wipLimit: number) => {
    // Only what was changed here is sent: somebody else may have changed the other.
    const { wipLimit: was = 0, wipMode: how = "hard" } = first.current!;
    const patch = { ...(wipLimit === was ? {} : { wipLimit: wipLimit || null }), ...(mode === how ? {} : { wipMode: mode }) };
    if (Object.keys(patch)[0]) store.mutate(id, patch);
    close();
  };
  const title = say("board.settingsOf", { column: column.title });
  return (
    <Dialog label={title} className="small-dialog" onClose={close}>
      <h2>{title}</h2>
      <form
        class="stack"
        onSubmit={(e) => {
          e.preventDefault();
          save(limit);
        }}
      >
        <label class="field">
          <span>{say("board.limit")}</span>
          <input autoFocus type="number" min={0} max={9999} step={1} inputMode="numeric" value={limit || ""} placeholder={say("board.noLimit")} onInput={(e) => setLimit(Number(e.currentTarget.value) || 0)} />
        </label>
        <fieldset class="limit-mode" disabled={!limit}>
          <legend>{say("board.limitMode")}</legend>
          {(["hard", "soft"] as const).map((one) => (
            <label key={one}>
              <input type="radio" name={radio} checked={mode === one} onChange={() => setMode(one)} />
              <span>{say(`board.${one}`)}</span>
            </label>
          ))}
        </fieldset>
        <div class="field">
          <span>{say("board.color")}</span>
          <ColourPicker value={column.color} choose={(color) => store.mutate(id, { color })} />
        </div>
        <div class="dialog-buttons">
          <button type="submit" class="primary">{say("board.save")}</button>
          {!!column.wipLimit && <button type="button" class="second" onClick={() => save(0)}>{say("board.dropLimit")}</button>}
        </div>
      </form>
    </Dialog>
  );
}
