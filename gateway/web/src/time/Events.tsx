// The list of changes beside the replayed board: each is a place to go to.

import { useLayoutEffect, useMemo, useRef } from "preact/hooks";

import { useWindow } from "../board/window.js";
import { useDesk } from "../desk.js";
import type { Decision } from "../history/log.js";
import { Avatar } from "../parts/Avatar.js";
import { Icon } from "../parts/Icon.js";
import { personOf } from "../people/candidates.js";
import { say } from "../words/words.js";
import { keyOf, shows, spotOf, stopsAt } from "./film.js";
import type { Player } from "./player.js";
import { fully, moment, useTell, type Tell } from "./telling.js";

/** How much of one mutation is told in the list. */
const most = 2;
const standing = { isNear: true, isOfFew: true };

export function Events({ player, close }: { readonly player: Player; close(): void }) {
  const { stretch, index, choice, hasLater } = player;
  const tell = useTell(player, "now");
  const { from, decisions } = stretch.value;
  const all = useMemo(() => decisions.filter(shows), [decisions]);
  const ids = useMemo(() => all.map(keyOf), [all]);
  const here = decisions[index.value];
  const current = here ? ids.indexOf(keyOf(here)) : -1;
  const list = useRef<HTMLOListElement>(null);
  const pins = useMemo(() => (current < 0 ? [] : [current]), [current]);
  const { drawn, measure } = useWindow(list, ids, pins, standing);
  const rows = drawn?.rows.map(({ index }) => index) ?? [...all.keys()];
  useScrolled(list, ids, current);
  return (
    <aside class="drawer past-events" aria-label={say("time.events")}>
      <header>
        <h2>{say("time.events")}</h2>
        <button type="button" class="tool" aria-label={say("top.close")} onClick={close}><Icon name="close" /></button>
      </header>
      {from > 0 && <button type="button" class="second" onClick={() => void player.earlier()}>{say("time.earlier")}</button>}
      <ol ref={list} class="past-list-of" data-windowed={drawn ? true : undefined} tabIndex={-1}>
        {rows.map((i) => {
          const [id, d] = [ids[i]!, all[i]!];
          return <Row key={id} id={id} decision={d} tell={tell} isHere={i === current} isMeant={stopsAt(d, choice.value)} measure={measure} player={player} />;
        })}
      </ol>
      {all.length > 0 && hasLater.value && <button type="button" class="second" onClick={() => void player.later()}>{say("time.later")}</button>}
    </aside>
  );
}

interface RowProps {
  readonly id: string;
  readonly decision: Decision;
  readonly tell: Tell;
  readonly isHere: boolean;
  /** Is it one to stop at? */
  readonly isMeant: boolean;
  readonly measure: ((row: HTMLElement | null) => void) | undefined;
  readonly player: Player;
}

function Row({ id, decision: d, tell, isHere, isMeant, measure, player }: RowProps) {
  const { store } = useDesk();
  const ref = useRef<HTMLLIElement>(null);
  useLayoutEffect(() => {
    measure?.(ref.current);
    return () => measure?.(null);
  }, [measure]);
  const lines = useMemo(() => tell(d), [tell, d]);
  const { name, picture } = personOf(store, d.user);
  const go = () => {
    player.stop();
    void player.go(spotOf(d));
  };
  return (
    <li ref={ref} class="past-event" data-id={id} data-rev={d.rev} data-outcome={d.outcome} data-dim={!isMeant || undefined}>
      <button type="button" aria-current={isHere ? "step" : undefined} onClick={go}>
        <span aria-hidden="true"><Avatar user={d.user} name={name} picture={picture} /></span>
        <span class="past-told">
          {lines.slice(0, most).map(({ text }, i) => <span key={i}>{text}</span>)}
          {lines.length > most && <span>{say("history.more", { count: lines.length - most })}</span>}
          <small>
            {d.outcome === "refused" && <Icon name="close" />}
            <time dateTime={d.at} title={fully(d.at)}>{moment(d.at)}</time>
          </small>
        </span>
      </button>
    </li>
  );
}

/** The one that is shown is in sight; when earlier ones come, what was seen stays where it is. */
function useScrolled(list: { readonly current: HTMLOListElement | null }, ids: readonly string[], current: number): void {
  const key = ids[current];
  const was = useRef<readonly string[]>(ids);
  useLayoutEffect(() => {
    const added = was.current[0] === undefined ? 0 : ids.indexOf(was.current[0]);
    was.current = ids;
    const ol = list.current!;
    if (added > 0) ol.scrollTop += (ol.scrollHeight * added) / ids.length;
  }, [ids]);
  useLayoutEffect(() => {
    const show = () => key !== undefined && list.current?.querySelector(`[data-id="${CSS.escape(key)}"]`)?.scrollIntoView({ block: "nearest" });
    show();
    const frame = requestAnimationFrame(() => requestAnimationFrame(show)); // once more when what is around it is measured
    return () => cancelAnimationFrame(frame);
  }, [key]);
}
