// The heart of a card, and how many like it.

import type { Card } from "@snapback/client";
import { useBoard } from "@snapback/client/react";

import { atLeast, useDesk } from "../desk.js";
import { Icon } from "../parts/Icon.js";
import { say } from "../words/words.js";

export function Like({ card: { id, liked, likes } }: { readonly card: Card }) {
  const { store } = useDesk();
  const { me } = useBoard();
  const name = say("card.like");
  if (!atLeast(me?.role, "commenter") && !likes) return null;
  return (
    <button
      type="button" class="tool like" aria-pressed={liked} aria-label={say("card.likeCount", { name, count: likes })} title={name}
      disabled={!atLeast(me?.role, "commenter")} onClick={() => store.mutate(id, { liked: !liked })}
    >
      <Icon name="heart" />{likes > 0 && <span>{likes}</span>}
    </button>
  );
}
