// Fields in which what is typed is added by Enter, one after the other.

import { useLayoutEffect, useRef, useState } from "preact/hooks";

import type { Sent } from "@snapback/client";

import { useDesk } from "../desk.js";
import { Icon } from "../parts/Icon.js";
import { Begun } from "../text/Unsaved.js";
import { say } from "../words/words.js";
import { linesOf } from "./lines.js";

/** Adds items; each line of a pasted text is one. */
export function AddItems({ draft, title, add }: { readonly draft: string; readonly title: string; add(lines: readonly string[]): Sent }) {
  return (
    <Adding
      draft={draft} label={say("card.item.add")} name={say("card.item.addTo", { title })} field={say("card.item.text")} button={say("card.add")} stays
      add={(text) => add([text])}
      paste={(text) => {
        const lines = linesOf(text);
        if (lines.length < 2) return false;
        add(lines);
        return true;
      }}
    />
  );
}

/** Adds one thing. */
export function AddLine({ draft, label, field, button, first, add }: {
  readonly draft: string;
  readonly label: string;
  readonly field: string;
  readonly button: string;
  /** What the field holds at first. */
  readonly first: string;
  /** Adds it, and sees to the focus. */
  add(text: string): Sent;
}) {
  return <Adding draft={draft} label={label} name={label} field={field} button={button} first={first} stays={false} add={add} />;
}

function Adding({ draft: kept, label, name, field, button: act, first = "", stays, add, paste }: {
  /** Under which name an unfinished text is kept. */
  readonly draft: string;
  readonly label: string;
  readonly name: string;
  readonly field: string;
  readonly button: string;
  readonly first?: string;
  /** Does the field stay open for the next? */
  readonly stays: boolean;
  add(text: string): Sent;
  /** Takes what the field would hold after pasting; false if it is to be pasted as it is. */
  paste?(text: string): boolean;
}) {
  const draft = useDesk().texts.draft(kept);
  const [open, setOpen] = useState(false);
  const input = useRef<HTMLTextAreaElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => {
    if (!open) return;
    input.current?.focus();
    input.current?.select();
  }, [open]);
  const close = () => {
    setOpen(false);
    requestAnimationFrame(() => button.current?.focus());
  };
  const submit = () => {
    const text = input.current!.value.replace(/\s+/g, " ").trim();
    if (!text) return close();
    draft.send(text, add(text)); // if it is refused, a note has it
    if (!stays) return setOpen(false);
    input.current!.value = "";
  };
  if (!open) return <button ref={button} type="button" class="second add" aria-label={name} onClick={() => setOpen(true)}><Icon name="plus" />{label}<Begun name={kept} /></button>;
  return (
    <form
      class="adding"
      onSubmit={(e) => {
        e.preventDefault();
        submit();
        if (stays) input.current?.focus();
      }}
    >
      <textarea
        ref={input} rows={1} dir="auto" aria-label={field} placeholder={field} defaultValue={draft.text || first} maxLength={16384} onInput={(e) => draft.set(e.currentTarget.value)}
        onPaste={(e) => {
          const { value, selectionStart, selectionEnd } = e.currentTarget;
          const whole = value.slice(0, selectionStart) + (e.clipboardData?.getData("text/plain") ?? "") + value.slice(selectionEnd);
          if (!paste?.(whole)) return;
          e.preventDefault();
          e.currentTarget.value = "";
          draft.set("");
        }}
        onKeyDown={(e) => {
          if (e.key === "Enter" && !e.isComposing) {
            e.preventDefault();
            submit();
          } else if (e.key === "Escape" && !e.isComposing) {
            e.preventDefault();
            e.stopPropagation();
            close();
          }
        }}
      />
      <button type="submit" class="primary">{act}</button>
      <button type="button" class="second" onClick={close}>{say("card.doneAdding")}</button>
    </form>
  );
}
