// Where the focus goes when the row that has it disappears, and when it comes back.

import type { RefObject } from "preact";

/**
 * After the row is gone: to the row behind it, the one before it, or to what adds another. What it gives brings the focus
 * back to the row, as it is drawn anew after a refusal, unless somebody has gone elsewhere meanwhile.
 */
export function keepFocus(list: RefObject<HTMLElement | null>, row: RefObject<HTMLElement | null>): () => void {
  const gone = row.current;
  const id = gone?.dataset["id"];
  const next = gone?.nextElementSibling ?? gone?.previousElementSibling;
  const box = list.current?.closest<HTMLElement>("[data-files], [data-keeps-focus]");
  let moved: HTMLElement | null | undefined;
  const isLost = () => document.activeElement === document.body || document.activeElement === null;
  const look = (left: number) => {
    if (gone?.isConnected && left > 0) return void requestAnimationFrame(() => look(left - 1));
    if (!isLost()) return;
    moved = next?.isConnected ? next.querySelector<HTMLElement>("a[href], button") : box?.querySelector<HTMLElement>("button, input");
    moved?.focus();
  };
  requestAnimationFrame(() => look(20)); // the row goes with one of the next paintings
  return () => requestAnimationFrame(() => {
    if (id === undefined || (document.activeElement !== moved && !isLost())) return;
    list.current?.querySelector<HTMLElement>(`[data-id="${CSS.escape(id)}"] :is(a[href], button)`)?.focus();
  });
}
