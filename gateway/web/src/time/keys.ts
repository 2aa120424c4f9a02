// The keys of the replay: Space plays and pauses, arrows go from one change to the next, Escape leads back to now. They do
// nothing where somebody types or chooses, and cards have the arrows for themselves.

import { useEffect } from "preact/hooks";

import { announce } from "../say.js";
import { direction, say } from "../words/words.js";
import { everything } from "./film.js";
import { leave } from "./moment.js";
import type { Player } from "./player.js";

const onward = direction === "rtl" ? "ArrowLeft" : "ArrowRight";
const back = direction === "rtl" ? "ArrowRight" : "ArrowLeft";

/** Back to the present, with the focus on what had opened the past. */
export function toNow(): void {
  leave();
  announce(say("time.left"));
  requestAnimationFrame(() => document.querySelector<HTMLElement>("[data-opens=replay], .main-menu")?.focus());
}

/** Goes to the next change to stop at, and says so if there is none. */
export async function stepAside(player: Player, way: 1 | -1): Promise<void> {
  player.stop();
  const { user, what } = player.choice.peek();
  if (await player.step(way)) return;
  if (way < 0) announce(say("time.begin"));
  else announce(say(user === everything.user && what === everything.what ? "time.end" : "time.endOf"));
}

/** Plays or pauses; from the newest change on it plays from the first. */
export async function playOrPause(player: Player, head: number): Promise<void> {
  if (player.playing.peek()) return player.stop();
  const { stretch, index, spot } = player;
  const isLast = index.peek() === stretch.peek().decisions.length - 1;
  if (isLast && spot.peek().rev >= head) await player.go({ rev: 1 });
  player.play();
}

const own = "button, a, select, summary, textarea, input:not([type=range]), [contenteditable], [role=menu], dialog, [popover]";

export function useReplayKeys(player: Player, head: number): void {
  useEffect(() => {
    const pressed = (e: KeyboardEvent) => {
      if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || e.isComposing || document.querySelector("dialog:modal")) return;
      const target = e.target instanceof Element ? e.target : document.body;
      if (e.key === "Escape") {
        if (target.closest("select") || document.querySelector(":popover-open")) return;
        toNow();
      } else if (e.key === " ") {
        if (target.closest(own)) return;
        void playOrPause(player, head);
      } else if (e.key === onward || e.key === back) {
        if (target.closest("select, textarea, input:not([type=range]), [popover], .card, .column-head")) return;
        void stepAside(player, e.key === onward ? 1 : -1);
      } else return;
      e.preventDefault();
    };
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, [player, head]);
}
