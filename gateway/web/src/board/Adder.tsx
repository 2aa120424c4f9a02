// A button that becomes a field: what is typed there and sent by Enter is added, one after the other, until Escape. A list
// that is pasted can be as many as it has lines.

import type { Signal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import type { Sent } from "@snapback/client";

import { linesOf } from "../card/lines.js";
import { useDesk } from "../desk.js";
import { Icon } from "../parts/Icon.js";
import { Begun } from "../text/Unsaved.js";
import { say, type Key } from "../words/words.js";
import { useTold } from "./told.js";

export interface AdderProps {
  readonly label: string;
  /** What the field is called. */
  readonly field: string;
  /** Under which name an unfinished text is kept. */
  readonly draft: string;
  /** What is said of a {count} of lines. */
  readonly many: Key;
  /** It opens when this says the column. */
  readonly opens?: Signal<string | undefined>;
  readonly column?: string;
  add(texts: readonly string[]): readonly Sent[];
}

export function Adder({ label, field, draft: name, many, opens, column, add }: AdderProps) {
  const { texts } = useDesk();
  const draft = texts.draft(name);
  const [open, setOpen] = useState(false);
  /** How many lines were pasted, where that is more than one. */
  const [lines, setLines] = useState(0);
  const input = useRef<HTMLTextAreaElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const isCalled = useTold(() => opens !== undefined && opens.value === column);
  useEffect(() => {
    if (!isCalled) return;
    opens!.value = undefined;
    setOpen(true);
    input.current?.focus();
  }, [isCalled]);
  useLayoutEffect(() => texts.field(name), [texts, name]);
  const isClosing = useRef(false);
  useLayoutEffect(() => { // before anything is typed
    if (open) input.current?.focus();
    else if (isClosing.current) button.current?.focus();
    isClosing.current = false;
  }, [open]);
  const close = () => {
    isClosing.current = true;
    setOpen(false);
    setLines(0);
  };
  const submit = (asLines: boolean) => {
    const text = input.current!.value.trim();
    if (!text) return close();
    const sent = add(asLines ? linesOf(text) : [text]).at(-1);
    input.current!.value = "";
    if (sent) draft.send(text, sent); // if it is refused, a note has it
    setLines(0);
    input.current!.focus();
  };
  if (!open) return <button ref={button} type="button" class="adder" onClick={() => setOpen(true)}><Icon name="plus" />{label}<Begun name={name} /></button>;
  return (
    <form
      class="adder-form"
      onSubmit={(e) => {
        e.preventDefault();
        submit(lines > 1);
      }}
    >
      <textarea
        ref={input} rows={2} dir="auto" aria-label={field} placeholder={field} defaultValue={draft.text}
        onPaste={() => setTimeout(() => input.current && setLines(linesOf(input.current.value).length))}
        onInput={(e) => {
          draft.set(e.currentTarget.value);
          if (lines) setLines(linesOf(e.currentTarget.value).length);
        }}
        onKeyDown={(e) => {
          if (e.key === "Enter" && !e.shiftKey && !e.isComposing) {
            e.preventDefault();
            submit(lines > 1);
          } else if (e.key === "Escape" && !e.isComposing) {
            e.stopPropagation();
            close();
          }
        }}
      />
      <div class="adder-buttons">
        <button type="submit" class="primary">{lines > 1 ? say(many, { count: lines }) : label}</button>
        {lines > 1 && <button type="button" class="second" onClick={() => submit(false)}>{say("board.asOne")}</button>}
        <button type="button" class="tool" aria-label={say("top.close")} onClick={close}><Icon name="close" /></button>
      </div>
    </form>
  );
}
