// What leads into the past: the button in the bar at the top, and a link beside each thing that a history tells.

import { useDesk } from "../desk.js";
import type { Decision } from "../history/log.js";
import { Icon } from "../parts/Icon.js";
import { say } from "../words/words.js";
import { spotOf } from "./film.js";
import { hashOf, open } from "./moment.js";

export function ReplayButton() {
  const { store } = useDesk();
  const title = say("time.open");
  return (
    <button type="button" class="tool" data-opens="replay" aria-label={title} title={title} onClick={() => open({ at: store.rev })}>
      <Icon name="replay" />
    </button>
  );
}

/** To the board as it was when that was decided. */
export function MomentLink({ decision }: { readonly decision: Decision }) {
  const { rev, tried } = spotOf(decision);
  const at = { at: Math.max(1, rev), ...(tried && { tried }) };
  const go = (e: MouseEvent) => {
    if (e.button || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
    e.preventDefault();
    open(at);
  };
  return <a class="history-link past-link" href={hashOf(at)} title={say("time.linkTitle", { rev })} onClick={go}><Icon name="replay" />{say("time.link")}</a>;
}
