// The heart of a card, and how many like it.

import type { Board, Card, Me } from "@snapback/client";

import { atLeast, useDesk } from "../desk.js";
import { Icon } from "../parts/Icon.js";
import { say } from "../words/words.js";

/** May its cards be liked by you? */
export const isLikeable = (board: Board | undefined, me: Me | undefined): boolean => atLeast(me?.role, "commenter") && !board?.archived;

export function Like({ card: { id, liked, likes, archived }, likeable }: {
  readonly card: Card;
  /** As far as the board and your role go. It is given, for each card that asks the board itself hears of every change. */
  readonly likeable: boolean;
}) {
  const { store } = useDesk();
  const name = say("card.like");
  const label = likes ? say("card.likeCount", { name, count: likes }) : name;
  const face = <><Icon name="heart" />{likes > 0 && <span aria-hidden="true">{say("card.count", { count: likes })}</span>}</>;
  if (!likeable || archived) {
    return likes ? <span class="tool like" role="img" aria-label={say("card.likes", { count: likes })} title={say("card.likes", { count: likes })}>{face}</span> : null;
  }
  // What is shown by now counts, not what was painted: a second click takes back the first.
  const toggle = () => store.mutate(id, { liked: !store.get<Card>(id)?.liked });
  return <button type="button" class="tool like" data-none={!likes || undefined} aria-pressed={liked} aria-label={label} title={name} onClick={toggle}>{face}</button>;
}
