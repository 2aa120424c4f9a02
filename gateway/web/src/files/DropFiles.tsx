// Files that are dropped on the page: on a card they become the card's, in the open card's dialog that card's, elsewhere
// the board's. Pictures that are pasted into the dialog, too.

import { useEffect, useState } from "preact/hooks";

import { atLeast, nameOf, useDesk, type Desk } from "../desk.js";
import { route } from "../route.js";
import { say } from "../words/words.js";
import { dropped, hasFiles, pasted, start } from "./incoming.js";

/** Where a drop would go: the element that shows it, and the card's id; "" is the board. */
interface Target {
  readonly element: HTMLElement;
  readonly card: string;
}

const openCard = (): string | undefined => {
  const at = route.value;
  return at.page === "board" ? at.card : undefined;
};

function targetOf(at: EventTarget | null): Target | undefined {
  if (!(at instanceof Element)) return undefined;
  const dialog = document.querySelector<HTMLElement>("dialog.card-dialog[open]");
  const open = openCard();
  if (dialog) return open ? { element: dialog, card: open } : undefined;
  if (document.querySelector("dialog[open]")) return undefined;
  const card = at.closest<HTMLElement>(".card[data-id]");
  if (card) return { element: card, card: card.dataset["id"]! };
  const board = document.querySelector<HTMLElement>(".page");
  return board ? { element: board, card: "" } : undefined;
}

export function DropFiles() {
  const desk = useDesk();
  const [over, setOver] = useState<string>();
  useEffect(() => listen(desk, setOver), [desk]);
  if (over === undefined) return null;
  const card = over && nameOf(desk.store.get(over));
  return <p class="drop-hint" popover="manual" ref={(el) => el?.showPopover()}>{card ? say("files.dropCard", { card }) : say("files.dropBoard")}</p>;
}

/** Listens to what is dragged over the page and pasted; gives what ends that. */
function listen(desk: Desk, tell: (card: string | undefined) => void): () => void {
  let marked: HTMLElement | undefined;
  const mark = (target: Target | undefined) => {
    if (marked !== target?.element) {
      marked?.removeAttribute("data-drop");
      marked = target?.element;
      marked?.setAttribute("data-drop", "");
    }
    tell(target?.card);
  };
  const stop = new AbortController();
  const on = <K extends "dragover" | "dragleave" | "drop">(what: K, fn: (e: DragEvent) => void) =>
    document.addEventListener(what, fn, { signal: stop.signal });
  // Without this the browser would leave the page for the file.
  on("dragover", (e) => {
    if (!hasFiles(e.dataTransfer)) return;
    e.preventDefault();
    const target = atLeast(desk.store.me?.role, "editor") ? targetOf(e.target) : undefined;
    e.dataTransfer!.dropEffect = target ? "copy" : "none";
    mark(target);
  });
  on("dragleave", (e) => {
    if (e.relatedTarget === null) mark(undefined);
  });
  on("drop", (e) => {
    if (!hasFiles(e.dataTransfer)) return;
    e.preventDefault();
    const target = targetOf(e.target);
    mark(undefined);
    if (target) start(desk, dropped(e.dataTransfer!), target.card || undefined);
  });
  document.addEventListener("paste", (e) => {
    const card = openCard();
    const files = card && document.querySelector("dialog.card-dialog[open]") ? pasted(e.clipboardData) : [];
    if (!files.length) return;
    e.preventDefault();
    start(desk, files, card);
  }, { signal: stop.signal });
  return () => {
    stop.abort();
    mark(undefined);
  };
}
