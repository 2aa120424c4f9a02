// The heart of a card, and how many like it.

import type { Card } from "@snapback/client";
import { useBoard } from "@snapback/client/react";

import { atLeast, useDesk } from "../desk.js";
import { Icon } from "../parts/Icon.js";
import { say } from "../words/words.js";

export function Like({ card: { id, liked, likes, archived } }: { readonly card: Card }) {
  const { store } = useDesk();
  const { me, board } = useBoard();
  const name = say("card.like");
  const label = likes ? say("card.likeCount", { name, count: likes }) : name;
  const face = <><Icon name="heart" />{likes > 0 && <span aria-hidden="true">{say("card.count", { count: likes })}</span>}</>;
  if (!atLeast(me?.role, "commenter") || archived || board?.archived) {
    return likes ? <span class="tool like" role="img" aria-label={say("card.likes", { count: likes })} title={say("card.likes", { count: likes })}>{face}</span> : null;
  }
  // What is shown by now counts, not what was painted: a second click takes back the first.
  const toggle = () => store.mutate(id, { liked: !store.get<Card>(id)?.liked });
  return <button type="button" class="tool like" aria-pressed={liked} aria-label={label} title={name} onClick={toggle}>{face}</button>;
}
