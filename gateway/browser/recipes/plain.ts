// A list with like buttons in plain DOM: rows by key, only those that changed are touched, a toast when one snaps back.

import type { Card, Refusal, Store } from "@snapback/client";

const toastTime = 6000; // milliseconds

interface Row {
  readonly element: HTMLLIElement;
  show(card: Card, pending: boolean): void;
}

/** Shows the board's cards in root, as a list of posts. Gives what takes it away again. */
export function mount(root: HTMLElement, store: Store): () => void {
  const list = make("ul", "posts");
  const toasts = make("div", "toasts");
  toasts.setAttribute("role", "status");
  root.replaceChildren(list, toasts);
  const rows = new Map<string, Row>();

  const paint = (id: string) => {
    const card = store.get<Card>(id);
    if (card) rows.get(id)?.show(card, store.pending(id));
  };

  const toggle = (id: string) => {
    const card = store.get<Card>(id);
    // One at a time for each row. Without this line a second click is a second mutation, replayed on top of the first.
    if (!card || store.pending(id)) return;
    void store.mutate(id, { liked: !card.liked }).then(() => paint(id));
  };

  const arrange = () => {
    const cards = store.list("card").filter((card) => !card.archived);
    const shown = new Set(cards.map((card) => card.id));
    for (const [id, row] of rows) {
      if (shown.has(id)) continue;
      row.element.remove();
      rows.delete(id);
    }
    let at = list.firstElementChild;
    for (const { id } of cards) {
      let row = rows.get(id);
      if (!row) {
        rows.set(id, (row = makeRow(id, () => toggle(id))));
        paint(id);
      }
      // The row that stands here goes elsewhere: passing it moves one row instead of all behind it.
      if (at && row.element !== at && at.nextElementSibling === row.element) at = row.element;
      if (row.element === at) at = at.nextElementSibling;
      else list.insertBefore(row.element, at);
    }
  };

  const ends = [
    store.subscribe((changes) => {
      let moved = false;
      for (const { id, before, after } of changes) {
        if ((after ?? before)?.kind !== "card") continue;
        paint(id);
        moved ||= !before || !after || ["position", "columnId", "archived"].some((field) => before[field] !== after[field]);
      }
      if (moved) arrange();
    }),
    store.onRollback((mutation, why) => {
      const title = store.get<Card>(mutation.changes[0]?.entityId ?? "")?.title;
      toast(toasts, `${title ? `“${title}”` : "That"} was not saved. ${wording(why)}`);
    }),
  ];
  arrange();
  return () => {
    ends.forEach((end) => end());
    root.replaceChildren();
  };
}

function makeRow(id: string, onLike: () => void): Row {
  const title = make("strong");
  const text = make("p");
  const count = make("span");
  const button = make("button", "like");
  const element = make("li", "post");
  element.dataset["id"] = id;
  button.type = "button";
  button.append("♥ ", count);
  button.addEventListener("click", onLike);
  element.append(title, text, button);
  let last: Card | undefined;
  return {
    element,
    show(card, pending) {
      if (element.ariaBusy !== String(pending)) element.ariaBusy = String(pending);
      if (card === last) return;
      last = card;
      write(title, card.title);
      write(text, card.description ?? "");
      write(count, String(card.likes));
      if (button.ariaPressed !== String(card.liked)) button.ariaPressed = String(card.liked);
      const label = `Like ${card.title}, ${card.likes} so far`; // it stands for the text of the button
      if (button.ariaLabel !== label) button.ariaLabel = label;
    },
  };
}

/** Words for a refusal; its `reason` is for logs. */
function wording({ code, details }: Refusal): string {
  switch (code) {
    case "forbidden": return "You may not do that.";
    case "not_found": return "Somebody deleted it.";
    case "archived": return "It was archived meanwhile.";
    case "wip_limit": return `The column is full (${details["count"]} of ${details["limit"]}).`;
    case "expired": case "withdrawn": return "The server did not get to it in time.";
    default: return "The server refused it.";
  }
}

function toast(parent: HTMLElement, message: string): void {
  const element = make("p", "toast");
  element.textContent = message;
  parent.append(element);
  setTimeout(() => element.remove(), toastTime);
}

function make<K extends keyof HTMLElementTagNameMap>(tag: K, className = ""): HTMLElementTagNameMap[K] {
  return Object.assign(document.createElement(tag), { className });
}

/** Data only ever becomes text, and an element that says so already is not touched. */
function write(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
