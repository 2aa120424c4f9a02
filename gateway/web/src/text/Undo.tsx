// Undo and redo: two buttons, the usual keys outside of text fields, and a note that says what came of it.

import { useEffect, useState } from "preact/hooks";

import type { Change, UndoResult } from "@snapback/client";

import { useDesk, type Desk } from "../desk.js";
import { Icon } from "../parts/Icon.js";
import { announce, note } from "../say.js";
import { fieldName, wording } from "../words/refusal.js";
import { say } from "../words/words.js";
import { turnOf } from "./keys.js";
import { back, before, called, describe } from "./mutation.js";

const isMac = /Mac|iP(hone|ad)/.test(globalThis.navigator?.platform ?? "");

export function UndoButtons() {
  const desk = useDesk();
  const { undo } = desk;
  const [, draw] = useState(0);
  useEffect(() => undo.subscribe(() => draw((n) => n + 1)), [undo]);
  useKeys(desk);
  const button = (which: "undo" | "redo", can: boolean) => {
    const name = say(`undo.${which}`);
    const keys = say(isMac ? `undo.${which}.mac` : `undo.${which}.keys`);
    return (
      <button
        type="button" class="tool" data-does={which} aria-label={name} title={`${name} (${keys})`} disabled={!can}
        aria-keyshortcuts={which === "undo" ? "Control+Z Meta+Z" : "Control+Shift+Z Meta+Shift+Z Control+Y"}
        onClick={() => void turn(desk, which)}
      >
        <Icon name={which} />
      </button>
    );
  };
  return <span class="undo-buttons">{button("undo", undo.canUndo)}{button("redo", undo.canRedo)}</span>;
}

function useKeys(desk: Desk): void {
  useEffect(() => {
    const press = (e: KeyboardEvent) => {
      const which = turnOf(e);
      const { target } = e;
      if (!which || e.defaultPrevented) return;
      if (target instanceof HTMLElement && (target.isContentEditable || target.matches("textarea, select, input:not([type=checkbox], [type=radio], [type=button])"))) return;
      e.preventDefault();
      void turn(desk, which);
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [desk]);
}

let gone: (() => void) | undefined;

/** Takes the newest step back, or makes it again, and says so. */
export async function turn(desk: Desk, which: "undo" | "redo"): Promise<void> {
  const { store, undo } = desk;
  if (which === "undo" ? !undo.canUndo : !undo.canRedo) return announce(say(`undo.${which}.none`));
  let changes: readonly Change[] = [];
  const watch = { made: (m: { readonly changes: readonly Change[] }) => void (changes = m.changes) };
  store.engine.hooks.add(watch);
  const outcome = undo[which]();
  store.engine.hooks.delete(watch);
  const other = which === "undo" ? "redo" : "undo";
  const text = which === "undo" ? back(store, changes) : describe(before(store), changes);
  const title = say(`undo.${which}.done`);
  gone?.();
  const end = (gone = note({ tone: "done", title, text, actions: [{ label: say(`undo.${other}`), run: () => void turn(desk, other) }] }));
  announce(`${title}. ${text}`);
  tell(desk, which, changes, await outcome, end);
}

/** What came of it, where that is not what was asked for. */
function tell({ store }: Desk, which: "undo" | "redo", changes: readonly Change[], outcome: UndoResult, end: () => void): void {
  const name = (id: unknown) => called(store, id);
  if (!outcome.ok) {
    end();
    const why = wording(outcome, (id) => store.get(id) && name(id), changes[0] && name(changes[0].entityId));
    if (outcome.code === "closed") return;
    note({ tone: "refused", title: say(`undo.${which}.refused`), text: outcome.code === "empty" ? say("undo.nothing") : why });
  } else if (outcome.kept.length) {
    if (outcome.rev === undefined) end(); // nothing else was to be done
    const kept = outcome.kept.map(({ entityId, fields }) =>
      fields.length ? say("undo.kept.fields", { what: name(entityId), fields: [...new Set(fields.map(fieldName))].join(", ") }) : name(entityId));
    note({ tone: "plain", title: say("undo.kept"), text: kept.join(" · ") });
  }
}
