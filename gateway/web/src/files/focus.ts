// Where the focus goes when the row that has it disappears.

import type { RefObject } from "preact";

/** After the row is gone: to the row behind it, the one before it, or to what adds another. */
export function keepFocus(list: RefObject<HTMLElement | null>, row: RefObject<HTMLElement | null>): void {
  const next = row.current?.nextElementSibling ?? row.current?.previousElementSibling;
  const box = list.current?.closest<HTMLElement>("[data-files], [data-keeps-focus]");
  const gone = row.current;
  let tries = 20; // the row goes with the next painting, or the one after
  const look = () => {
    const lost = document.activeElement === document.body || document.activeElement === null;
    if (gone?.isConnected && tries-- > 0) return void requestAnimationFrame(look);
    if (!lost) return;
    const to = next?.isConnected ? next.querySelector<HTMLElement>("a[href], button") : box?.querySelector<HTMLElement>("button, input");
    to?.focus();
  };
  requestAnimationFrame(look);
}
