// What lies over the page and has to be closed before it goes on. The browser keeps the focus in it and gives it back.

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { signal } from "@preact/signals";

import { Icon } from "./Icon.js";
import { say } from "../words/words.js";

/** Those that are open, the topmost last. What is outside of them cannot be pressed or heard. */
export const dialogs = signal<readonly HTMLDialogElement[]>([]);

export function Dialog({ label, className = "", onClose, children }: {
  /** What it is called, for those who do not see it. */
  readonly label: string;
  readonly className?: string;
  onClose(): void;
  readonly children: ComponentChildren;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement;
    if (dialog && !dialog.open) dialog.showModal();
    if (dialog) dialogs.value = [...dialogs.value, dialog];
    return () => {
      dialogs.value = dialogs.value.filter((d) => d !== dialog);
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected && document.activeElement === document.body) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={ref} class={`dialog ${className}`} aria-label={label}
      onCancel={(e) => {
        if (e.target !== ref.current) return;
        e.preventDefault();
        onClose();
      }}
      onMouseDown={(e) => e.target === ref.current && onClose()}
      onKeyDown={(e) => e.key === "Escape" && e.stopPropagation()} // it closes this, and not what is around it, too
    >
      <div class="dialog-body">
        <button type="button" class="tool dialog-close" aria-label={say("top.close")} onClick={onClose}><Icon name="close" /></button>
        {children}
      </div>
    </dialog>
  );
}
