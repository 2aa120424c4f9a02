// Dragging items of checklists by their grip, with mouse, pen or finger.

import { useMemo } from "preact/hooks";

import type { Item, Place, Store } from "@snapback/client";

interface Lifted {
  readonly id: string;
  readonly element: HTMLElement;
  readonly pointer: number;
}

interface Target {
  readonly checklist: string;
  readonly place: Place;
}

/** The handlers of the element in which all the checklists are. */
export function useItemDrag(store: Store) {
  return useMemo(() => {
    let lifted: Lifted | undefined;
    let over: HTMLElement | undefined;
    const mark = (next?: HTMLElement, side?: string) => {
      over?.removeAttribute("data-drop");
      over = next;
      if (side) over?.setAttribute("data-drop", side);
    };
    const giveUp = (e: KeyboardEvent) => {
      if (e.key !== "Escape") return;
      e.preventDefault(); // the dialog around it stays open
      e.stopPropagation();
      end();
    };
    const end = () => {
      document.removeEventListener("keydown", giveUp, true);
      mark();
      lifted?.element.removeAttribute("data-lifted");
      lifted = undefined;
    };
    const aim = (e: PointerEvent): Target | undefined => {
      const under = document.elementFromPoint(e.clientX, e.clientY);
      const item = under?.closest<HTMLElement>(".item[data-id]");
      const list = under?.closest<HTMLElement>(".checklist")?.querySelector<HTMLElement>("[data-checklist]");
      const checklist = list?.dataset["checklist"];
      if (!checklist || !lifted) return void mark();
      if (!item) {
        mark(list, "end");
        return { checklist, place: { before: null } };
      }
      const { top, height } = item.getBoundingClientRect();
      const upper = e.clientY < top + height / 2;
      mark(item, upper ? "before" : "after");
      const id = item.dataset["id"]!;
      return { checklist, place: upper ? { before: id } : { after: id } };
    };
    return {
      onPointerDown: (e: PointerEvent) => {
        const grip = e.target instanceof Element ? e.target.closest<HTMLElement>(".grip") : null;
        const element = grip?.closest<HTMLElement>(".item[data-id]");
        if (!grip || !element || e.button) return;
        e.preventDefault();
        grip.setPointerCapture(e.pointerId);
        lifted = { id: element.dataset["id"]!, element, pointer: e.pointerId };
        element.setAttribute("data-lifted", "");
        document.addEventListener("keydown", giveUp, true);
      },
      onPointerMove: (e: PointerEvent) => {
        if (lifted?.pointer === e.pointerId) aim(e);
      },
      onPointerUp: (e: PointerEvent) => {
        if (lifted?.pointer !== e.pointerId) return;
        const { id } = lifted;
        const to = aim(e);
        end();
        const item = store.get<Item>(id);
        if (!to || !item || Object.values(to.place)[0] === id) return;
        store.mutate(id, { ...(to.checklist === item.checklistId ? {} : { checklistId: to.checklist }), position: to.place });
      },
      onPointerCancel: end,
    };
  }, [store]);
}
