// How many of a column's cards the filter lets through; their number stands beside it, and means all of them.

import type { Card } from "@snapback/client";

import { Icon } from "../parts/Icon.js";
import { filter } from "../ui.js";
import { say } from "../words/words.js";
import { useFilter } from "./filter.js";
import { narrows, tally } from "./matching.js";

export function MatchCount({ cards }: { readonly cards: readonly Card[] }) {
  const matches = useFilter();
  if (!narrows(filter.value)) return null;
  const { count } = tally(cards, matches);
  const words = say("search.matching", { count });
  return (
    <span class="matching" title={words}>
      <Icon name="filter" />
      <span aria-hidden="true">{say("board.count", { count })}</span>
      <span class="unseen">{words}</span>
    </span>
  );
}
