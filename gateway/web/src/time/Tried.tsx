// What was tried and refused, said at the card it was tried on.

import { useLayoutEffect, useRef } from "preact/hooks";

import { elementOf } from "../board/focus.js";
import { Icon } from "../parts/Icon.js";
import { triedOn } from "./concerned.js";
import type { Player } from "./player.js";
import { useTell } from "./telling.js";

export function Tried({ player }: { readonly player: Player }) {
  const { spot, stretch, index, state, past } = player;
  const tell = useTell(player, "then");
  const ref = useRef<HTMLDivElement>(null);
  const { tried } = spot.value;
  const d = stretch.value.decisions[index.value];
  const isShown = tried !== undefined && d?.id === tried && state.value === "ready";
  const on = isShown ? triedOn(d.changes ?? [], past.store.get).on : undefined;
  useLayoutEffect(() => (isShown ? beside(ref.current!, on) : undefined), [isShown, on, d]);
  if (!isShown) return null;
  return (
    <div ref={ref} class="past-tried" data-on={on}>
      <Icon name="close" />
      <div>{tell(d).map(({ text }, i) => <p key={i}>{text}</p>)}</div>
    </div>
  );
}

/** Keeps it below the thing, within the board; without one that is in sight, at the board's end. Gives what ends it. */
function beside(bubble: HTMLElement, on: string | undefined): () => void {
  let frame = 0;
  const place = () => {
    const board = document.querySelector(".past-board")?.getBoundingClientRect();
    if (!board) return;
    const thing = on === undefined ? null : elementOf(on);
    const at = (thing?.matches(".column") ? thing.querySelector(".column-head") : thing)?.getBoundingClientRect();
    const isSeen = at !== undefined && at.bottom > board.top && at.top < board.bottom && at.right > board.left && at.left < board.right;
    const { offsetWidth: width, offsetHeight: height } = bubble;
    const isRight = document.documentElement.dir === "rtl";
    const left = isSeen ? (isRight ? at.right - width : at.left) : board.left + (board.width - width) / 2;
    const fits = isSeen && at.bottom + 8 + height <= board.bottom;
    const top = !isSeen ? board.bottom - height - 12 : fits ? at.bottom + 8 : Math.max(board.top + 4, at.top - height - 8);
    bubble.dataset["side"] = isSeen ? (fits ? "below" : "above") : "none";
    bubble.style.left = `${Math.round(Math.max(board.left + 8, Math.min(left, board.right - width - 8)))}px`;
    bubble.style.top = `${Math.round(top)}px`;
  };
  const again = () => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(place);
  };
  place();
  // And while the board is drawn and scrolled to it, in a second at most.
  let drawing = 60;
  let follows = requestAnimationFrame(function follow() {
    place();
    if (--drawing > 0) follows = requestAnimationFrame(follow);
  });
  document.addEventListener("scroll", again, { capture: true, passive: true });
  addEventListener("resize", again);
  return () => {
    cancelAnimationFrame(frame);
    cancelAnimationFrame(follows);
    document.removeEventListener("scroll", again, { capture: true });
    removeEventListener("resize", again);
  };
}
