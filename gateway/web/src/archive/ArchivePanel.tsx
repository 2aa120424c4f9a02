// What was taken out of sight, to be brought back or deleted. It is loaded a page at a time, those changed last first, and
// follows what others archive, restore and delete.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { load, type Store } from "@snapback/client";
import { useBoard, useList } from "@snapback/client/react";

import { atLeast, useDesk } from "../desk.js";
import { say } from "../words/words.js";
import { ArchivedRow } from "./ArchivedRow.js";
import { archived, matchingWords, type Archived } from "./archived.js";

/** How many more rows are drawn at a time. */
const step = 100;

export function ArchivePanel() {
  const { store } = useDesk();
  const { me } = useBoard();
  const editable = atLeast(me?.role, "editor");
  const [words, setWords] = useState("");
  const [most, setMost] = useState(step);
  const { state, more } = usePages(store);
  const cards = useList("card");
  const columns = useList("column");
  const all = useMemo(() => archived(columns, cards, store.pending), [columns, cards]);
  const found = useMemo(() => matchingWords(all, words), [all, words]);
  const list = useRef<HTMLUListElement>(null);
  const goOn = () => {
    setMost((n) => n + step);
    if (most + step > found.length) more();
  };
  return (
    <div class="archive" data-keeps-focus data-loaded={state}>
      <input
        type="search" dir="auto" class="archive-search" aria-label={say("archive.search")} placeholder={say("archive.search")} autocomplete="off"
        onInput={(e) => setWords(e.currentTarget.value)}
      />
      <p class="file-about" role="status">{state !== "loading" && summary(all, found, words)}</p>
      <ul ref={list} class="archive-list" aria-label={say("panel.archive")}>
        {found.slice(0, most).map(({ entity, column }) => (
          <ArchivedRow key={entity.id} entity={entity} column={column} list={list} editable={editable} />
        ))}
      </ul>
      {state === "loading" && <p class="file-about">{say("archive.loading")}</p>}
      {state === "failed" && <p class="file-about" role="status">{say("archive.failed")}</p>}
      {(state === "more" || state === "failed" || found.length > most) && <More key={found.length} go={goOn} asks={state !== "failed"} />}
    </div>
  );
}

function summary(all: readonly Archived[], found: readonly Archived[], words: string): string {
  if (!all.length) return say("archive.none");
  return words.trim() ? say("archive.found", { count: found.length, all: all.length }) : say("archive.count", { count: all.length });
}

/** Loads what is archived, and again from the beginning when the connection is back: what was loaded may be gone then. */
function usePages(store: Store): { readonly state: "loading" | "more" | "end" | "failed"; more(): void } {
  const [state, setState] = useState<"loading" | "more" | "end" | "failed">("loading");
  const before = useRef<string | undefined>(undefined);
  const asking = useRef(0);
  const ask = () => {
    const mine = ++asking.current;
    setState("loading");
    load(store, { archive: true, ...(before.current ? { before: before.current } : {}) }).then(
      (page) => {
        if (mine !== asking.current) return;
        before.current = page.before ?? undefined;
        setState(page.before ? "more" : "end");
      },
      () => mine === asking.current && setState("failed"),
    );
  };
  useEffect(() => {
    ask();
    const end = store.onStatus((status) => {
      if (status !== "live") return;
      before.current = undefined;
      ask();
    });
    return () => {
      end();
      asking.current = -1;
    };
  }, [store]);
  return { state, more: () => (state === "more" || state === "failed") && ask() };
}

/** Goes on when it comes into sight, or is pressed. */
function More({ go, asks }: { go(): void; readonly asks: boolean }) {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!asks) return undefined;
    const eye = new IntersectionObserver((seen) => seen.some((s) => s.isIntersecting) && go(), { rootMargin: "200px" });
    eye.observe(button.current!);
    return () => eye.disconnect();
  }, [asks]);
  return <button ref={button} type="button" class="second" onClick={go}>{say("archive.more")}</button>;
}
