// A button that opens something small beside itself; it closes by Escape, by leaving it, and by pressing elsewhere.

import type { ComponentChildren } from "preact";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";

import { beside } from "./beside.js";

export function Pop({ label, name = label, className = "tool", face, children }: {
  /** What is written over what opens. */
  readonly label: string;
  /** What the button is called. */
  readonly name?: string;
  readonly className?: string;
  /** What is seen of the button. */
  readonly face: ComponentChildren;
  /** What opens; it is given what closes it. */
  children(close: () => void): ComponentChildren;
}) {
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  const close = (refocus = true) => {
    setOpen(false);
    if (refocus) button.current?.focus();
  };
  return (
    <>
      <button
        ref={button} type="button" class={className} aria-label={name} title={name} aria-haspopup="dialog" aria-expanded={open}
        aria-controls={open ? id : undefined} onClick={() => setOpen(!open)}
      >
        {face}
      </button>
      {open && button.current && <Popped id={id} label={label} anchor={button.current} close={close}>{children(() => close())}</Popped>}
    </>
  );
}

function Popped({ id, label, anchor, close, children }: {
  readonly id: string;
  readonly label: string;
  readonly anchor: HTMLElement;
  close(refocus: boolean): void;
  readonly children: ComponentChildren;
}) {
  const ref = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const pop = ref.current!;
    pop.showPopover(); // over dialogs, too
    beside(pop, anchor);
    const first = pop.querySelector<HTMLElement>("[data-first]") ?? pop.querySelector<HTMLElement>("input, select, textarea, button");
    first?.focus({ preventScroll: true });
    const grown = new ResizeObserver(() => beside(pop, anchor));
    grown.observe(pop);
    return () => grown.disconnect();
  }, []);
  useEffect(() => {
    const outside = (e: Event) => e.target instanceof Node && !ref.current?.contains(e.target) && !anchor.contains(e.target);
    const away = (e: Event) => {
      if (outside(e)) close(false);
    };
    const lost = (e: KeyboardEvent) => { // what had the focus in it is gone
      const { activeElement: focus } = document;
      if (e.key !== "Escape" || (focus && focus !== document.body && !(focus instanceof HTMLDialogElement))) return;
      e.preventDefault();
      close(true);
    };
    const follow = () => ref.current && beside(ref.current, anchor);
    document.addEventListener("pointerdown", away, true);
    document.addEventListener("focusin", away, true);
    document.addEventListener("keydown", lost, true);
    document.addEventListener("scroll", follow, true);
    addEventListener("resize", follow);
    return () => {
      document.removeEventListener("pointerdown", away, true);
      document.removeEventListener("focusin", away, true);
      document.removeEventListener("keydown", lost, true);
      document.removeEventListener("scroll", follow, true);
      removeEventListener("resize", follow);
    };
  }, []);
  return (
    <div
      ref={ref} id={id} class="pop" role="dialog" aria-label={label} popover="manual"
      onKeyDown={(e) => {
        if (e.key !== "Escape" || e.defaultPrevented) return;
        e.preventDefault(); // what it stands in stays open
        e.stopPropagation();
        close(true);
      }}
    >
      <p class="pop-title" aria-hidden="true">{label}</p>
      {children}
    </div>
  );
}
