// A button with a menu: arrows, Home, End and first letters choose, Escape and Tab close.

import type { ComponentChildren } from "preact";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";

import { beside } from "./beside.js";

export interface MenuItem {
  readonly label: string;
  run(): void;
  readonly disabled?: boolean;
  /** The keys that do the same without the menu, as they are written on it. */
  readonly keys?: string;
  /** For one of several that is chosen. */
  readonly checked?: boolean;
}

export function Menu({ label, className = "tool", items, opens, children }: {
  /** What the button is called. */
  readonly label: string;
  readonly className?: string;
  /** A function, where many menus are drawn of which none is open. */
  readonly items: readonly MenuItem[] | (() => readonly MenuItem[]);
  /** The panel of the drawer that was opened from here and gives the focus back to it. */
  readonly opens?: string | undefined;
  readonly children: ComponentChildren;
}) {
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  const close = (refocus: boolean) => {
    setOpen(false);
    if (refocus) button.current?.focus();
  };
  return (
    <>
      <button
        ref={button} type="button" class={className} aria-label={label} title={label} aria-haspopup="menu" aria-expanded={open}
        aria-controls={open ? id : undefined} data-opens={opens}
        onClick={(e) => {
          e.stopPropagation();
          setOpen(!open);
        }}
        onKeyDown={(e) => {
          if (e.key !== "ArrowDown") return;
          e.preventDefault();
          e.stopPropagation();
          setOpen(true);
        }}
      >
        {children}
      </button>
      {open && button.current && <List id={id} label={label} items={typeof items === "function" ? items() : items} anchor={button.current} close={close} />}
    </>
  );
}

function List({ id, label, items, anchor, close }: {
  readonly id: string;
  readonly label: string;
  readonly items: readonly MenuItem[];
  readonly anchor: HTMLElement;
  close(refocus: boolean): void;
}) {
  const ref = useRef<HTMLDivElement>(null);
  const entries = () => [...(ref.current?.querySelectorAll<HTMLElement>("[role^=menuitem]:not(:disabled)") ?? [])];
  useLayoutEffect(() => {
    const list = ref.current!;
    list.showPopover(); // over dialogs, too
    beside(list, anchor, "end");
    entries()[0]?.focus({ preventScroll: true });
  }, []);
  useEffect(() => {
    const away = (e: Event) => {
      if (e.target instanceof Node && !ref.current?.contains(e.target) && !anchor.contains(e.target)) close(false);
    };
    document.addEventListener("pointerdown", away, true);
    document.addEventListener("scroll", away, true);
    return () => {
      document.removeEventListener("pointerdown", away, true);
      document.removeEventListener("scroll", away, true);
    };
  }, []);
  const keys = (e: KeyboardEvent) => {
    const all = entries();
    const at = all.indexOf(document.activeElement as HTMLElement);
    const go = (to: number) => all[(to + all.length) % all.length]?.focus();
    if (e.key === "ArrowDown") go(at + 1);
    else if (e.key === "ArrowUp") go(at - 1);
    else if (e.key === "Home") go(0);
    else if (e.key === "End") go(-1);
    else if (e.key === "Escape") close(true);
    else if (e.key === "Tab") close(true);
    else if (e.key.length === 1 && e.key !== " ") {
      const letter = e.key.toLocaleLowerCase();
      [...all.slice(at + 1), ...all.slice(0, at + 1)].find((b) => b.textContent?.trim().toLocaleLowerCase().startsWith(letter))?.focus();
    } else if (e.key !== "Enter" && e.key !== " ") return;
    e.stopPropagation();
    if (e.key !== "Enter" && e.key !== " ") e.preventDefault();
  };
  return (
    <div ref={ref} id={id} class="menu" role="menu" aria-label={label} popover="manual" onKeyDown={keys} onClick={(e) => e.stopPropagation()}>
      {items.map((item) => (
        <button
          key={item.label} type="button" tabIndex={-1} disabled={item.disabled}
          role={item.checked === undefined ? "menuitem" : "menuitemradio"} aria-checked={item.checked}
          onClick={() => {
            close(true);
            item.run();
          }}
        >
          <span>{item.label}</span>
          {item.keys && <kbd>{item.keys}</kbd>}
        </button>
      ))}
    </div>
  );
}
