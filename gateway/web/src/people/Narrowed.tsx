// What the board is narrowed to, and how much of it is shown; always in sight while it is.

import { useSyncExternalStore } from "preact/compat";
import { useMemo } from "preact/hooks";

import type { Store } from "@snapback/client";
import { useBoard } from "@snapback/client/react";

import { labelName } from "../card/colours.js";
import { Icon } from "../parts/Icon.js";
import { filter, type Filter } from "../ui.js";
import { say } from "../words/words.js";
import { personOf } from "./candidates.js";
import { narrow, showAll, useFilter } from "./filter.js";
import { narrows, tally } from "./matching.js";

export function Narrowed() {
  return narrows(filter.value) ? <Strip /> : null;
}

function Strip() {
  const { store } = useBoard();
  return (
    <div class="narrowed">
      <Shown />
      {parts(filter.value, store).map(({ key, text, without }) => (
        <button key={key} type="button" class="part" title={say("search.without", { what: text })} aria-label={say("search.without", { what: text })} onClick={() => narrow(without)}>
          <bdi>{text}</bdi><Icon name="close" />
        </button>
      ))}
      <button
        type="button" class="second clear"
        onClick={() => {
          showAll();
          document.querySelector<HTMLElement>(".search-field input")?.focus();
        }}
      >
        {say("search.clear")}
      </button>
    </div>
  );
}

interface Part {
  readonly key: string;
  readonly text: string;
  readonly without: Partial<Filter>;
}

function parts({ words, labels, assignees, due }: Filter, store: Store): readonly Part[] {
  return [
    ...(words.trim() ? [{ key: "words", text: say("search.words", { words: words.trim() }), without: { words: "" } }] : []),
    ...labels.map((id) => ({ key: `label ${id}`, text: labelOf(store, id), without: { labels: labels.filter((one) => one !== id) } })),
    ...assignees.map((user) => ({ key: `user ${user}`, text: personOf(store, user).name, without: { assignees: assignees.filter((one) => one !== user) } })),
    ...(due ? [{ key: "due", text: say(`filter.${due}`), without: { due: "" } as const }] : []),
  ];
}

const labelOf = (store: Store, id: string): string => {
  const label = store.get(id);
  return label?.kind === "label" ? labelName(label) : say("filter.labels");
};

/** How many cards of how many: those in columns that are in sight. */
function Shown() {
  const { store } = useBoard();
  const matches = useFilter();
  const read = () => {
    let [count, all] = [0, 0];
    for (const column of store.list("column")) {
      if (column.archived) continue;
      const its = tally(store.children(column.id, "card"), matches);
      count += its.count;
      all += its.all;
    }
    return `${count}/${all}`;
  };
  const subscribe = useMemo(() => (fn: () => void) => store.subscribe(fn), [store]);
  const [count = 0, all = 0] = useSyncExternalStore(subscribe, read).split("/").map(Number);
  return (
    <p role="status" class="shown">
      <span aria-hidden="true">{say("search.shown", { count, all })}</span>
      <span class="unseen">{count ? say("search.shownOf", { count, all }) : say("search.nothing")}</span>
    </p>
  );
}
