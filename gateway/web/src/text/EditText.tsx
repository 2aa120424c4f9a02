// A text that is edited where it stands. It is sent with the text it started from (`if`), so that nobody's words are
// overwritten unseen.

import { useEffect, useRef } from "preact/hooks";

import { useDesk } from "../desk.js";

export function EditText({ id, field, label, multiline = false, onDone }: {
  readonly id: string;
  /** title, description, text or name. */
  readonly field: string;
  /** What the field is called. */
  readonly label: string;
  readonly multiline?: boolean;
  /** The editor is to be closed: sent, or given up. */
  onDone(): void;
}) {
  const { store } = useDesk();
  const ref = useRef<HTMLTextAreaElement>(null);
  const from = useRef(String(store.get(id)?.[field] ?? ""));
  useEffect(() => {
    ref.current?.focus();
    ref.current?.select();
  }, []);
  const save = () => {
    const text = ref.current!.value.trim();
    if (text !== from.current) store.mutate(id, { [field]: text || null }, { if: { [field]: from.current || null } });
    onDone();
  };
  return (
    <textarea
      ref={ref} class="edit" dir="auto" aria-label={label} rows={multiline ? 6 : 1} defaultValue={from.current}
      onBlur={save}
      onKeyDown={(e) => {
        e.stopPropagation();
        if (e.key === "Escape") onDone();
        else if (e.key === "Enter" && !e.isComposing && (!multiline || e.ctrlKey || e.metaKey)) {
          e.preventDefault();
          save();
        }
      }}
    />
  );
}
