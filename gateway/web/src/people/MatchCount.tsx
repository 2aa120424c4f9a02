// How many of a column's cards the filter lets through; their number stands beside it, and means all of them.

import type { Card } from "@snapback/client";

import { filter } from "../ui.js";
import { say } from "../words/words.js";
import { useFilter } from "./filter.js";
import { narrows } from "./matching.js";

export function MatchCount({ cards }: { readonly cards: readonly Card[] }) {
  const matches = useFilter();
  if (!narrows(filter.value)) return null;
  return <span class="matching">{say("search.matching", { count: cards.filter(matches).length })}</span>;
}
