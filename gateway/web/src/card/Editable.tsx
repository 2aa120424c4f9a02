// A text that is read, and edited where it stands after its button was pressed.

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { Icon } from "../parts/Icon.js";
import { EditText, useEditing } from "../text/EditText.js";
import { keyOf } from "../text/texts.js";
import { Begun, useBegun } from "../text/Unsaved.js";

export function Editable({ id, field, label, name, face, className = face ? "second" : "tool", multiline = false, editable: may, children }: {
  readonly id: string;
  readonly field: string;
  /** What the field is called. */
  readonly label: string;
  /** What the button is called that begins the editing. */
  readonly name: string;
  /** What is seen of the button; a pencil if nothing else. */
  readonly face?: ComponentChildren;
  readonly className?: string;
  readonly multiline?: boolean;
  readonly editable: boolean;
  /** The text as it is read; it is given what begins the editing. */
  children(edit: (() => void) | undefined): ComponentChildren;
}) {
  const [wanted, setEditing] = useEditing(id, field);
  const mark = keyOf(id, field);
  const editable = useBegun(mark) || may;
  const editing = wanted && editable;
  const button = useRef<HTMLButtonElement>(null);
  const was = useRef(false);
  useEffect(() => {
    const { activeElement: focus } = document;
    if (was.current && !editing && (!focus || focus === document.body || focus instanceof HTMLDialogElement)) button.current?.focus();
    was.current = editing;
  }, [editing]);
  if (editing) return <EditText id={id} field={field} label={label} multiline={multiline} onDone={() => setEditing(false)} />;
  return (
    <>
      {children(editable ? () => setEditing(true) : undefined)}
      {editable && (
        <button ref={button} type="button" class={className} aria-label={name} title={name} onClick={() => setEditing(true)}>
          {face ?? <Icon name="pencil" />}
        </button>
      )}
      <Begun name={mark} />
    </>
  );
}
