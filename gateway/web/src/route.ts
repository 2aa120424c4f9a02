// Which page is shown: the address says it.
//
//   /                               the board last opened, else demo
//   /boards                         all boards
//   /boards/{board}                 a board
//   /boards/{board}/cards/{card}    a card of it

import { computed, signal } from "@preact/signals";

import { shared } from "./storage.js";

const LAST = "snapback.board";

export type Route =
  | { readonly page: "boards" }
  | { readonly page: "board"; readonly board: string; readonly card?: string };

const path = signal(location.pathname);
addEventListener("popstate", () => (path.value = location.pathname));

export function parse(pathname: string, last: string | null): Route {
  const parts = pathname.split("/").filter(Boolean).map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  const [boards, board, cards, card] = parts;
  if (boards !== "boards") return { page: "board", board: last ?? "demo" };
  if (!board) return { page: "boards" };
  return cards === "cards" && card ? { page: "board", board, card } : { page: "board", board };
}

export const route = computed(() => parse(path.value, shared.get(LAST)));

/** The address of a board or of a card on it, with what the present one asks for (the user of this window, the locale). */
export function hrefOf(board?: string, card?: string): string {
  const parts = ["boards", ...(board ? [board] : []), ...(board && card ? ["cards", card] : [])];
  return `/${parts.map(encodeURIComponent).join("/")}${location.search}`;
}

export function navigate(href: string, { replace = false } = {}): void {
  history[replace ? "replaceState" : "pushState"](null, "", href);
  path.value = location.pathname;
}

/** Follows a link in the page; others (new window, another place) are the browser's. */
export function follow(event: MouseEvent): void {
  const { currentTarget: a } = event;
  if (!(a instanceof HTMLAnchorElement) || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  navigate(a.getAttribute("href") ?? "/");
}

/** The board to come back to. */
export const remember = (board: string): void => shared.set(LAST, board);
export const forget = (): void => shared.remove(LAST);
