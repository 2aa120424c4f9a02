// A button that becomes a field: what is typed there and sent by Enter is added, one after the other, until Escape.

import { useEffect, useRef, useState } from "preact/hooks";

import type { Sent } from "@snapback/client";

import { Icon } from "../parts/Icon.js";

export function Adder({ label, field, add }: {
  readonly label: string;
  /** What the field is called. */
  readonly field: string;
  /** Under which name an unfinished text is kept. */
  readonly draft: string;
  add(text: string): Sent;
}) {
  const [open, setOpen] = useState(false);
  const input = useRef<HTMLTextAreaElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (open) input.current?.focus();
  }, [open]);
  const close = () => {
    setOpen(false);
    requestAnimationFrame(() => button.current?.focus());
  };
  const submit = () => {
    const text = input.current!.value.trim();
    if (!text) return close();
    add(text);
    input.current!.value = "";
  };
  if (!open) return <button ref={button} type="button" class="adder" onClick={() => setOpen(true)}><Icon name="plus" />{label}</button>;
  return (
    <form
      class="adder-form"
      onSubmit={(e) => {
        e.preventDefault();
        submit();
      }}
    >
      <textarea
        ref={input} rows={2} dir="auto" aria-label={field} placeholder={field}
        onKeyDown={(e) => {
          if (e.key === "Enter" && !e.shiftKey && !e.isComposing) {
            e.preventDefault();
            submit();
          } else if (e.key === "Escape") {
            e.stopPropagation();
            close();
          }
        }}
      />
      <button type="submit" class="primary">{label}</button>
    </form>
  );
}
