// Asks before what cannot be undone.

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { say } from "../words/words.js";
import { Dialog } from "./Dialog.js";

export function Confirm({ title, yes, no = say("files.keep"), onYes, onClose, children }: {
  readonly title: string;
  /** What the button says that does it, and the one that does not. */
  readonly yes: string;
  readonly no?: string;
  onYes(): void;
  onClose(): void;
  readonly children: ComponentChildren;
}) {
  const safe = useRef<HTMLButtonElement>(null);
  useEffect(() => safe.current?.focus(), []);
  return (
    <Dialog label={title} className="confirm" onClose={onClose}>
      <h2 dir="auto">{title}</h2>
      <div class="confirm-text">{children}</div>
      <p class="confirm-buttons">
        <button ref={safe} type="button" class="second" onClick={onClose}>{no}</button>
        <button
          type="button" class="danger"
          onClick={() => {
            onClose();
            onYes();
          }}
        >
          {yes}
        </button>
      </p>
    </Dialog>
  );
}
