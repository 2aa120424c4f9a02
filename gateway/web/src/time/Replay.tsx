// The board as it was: it can be looked at and gone through, and nothing on it can be changed. What happens on the board
// meanwhile does not disturb it.

import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { BoardProvider, useBoard } from "@snapback/client/react";

import { Columns } from "../board/Columns.js";
import { DeskContext, nameOf, useDesk, type Desk } from "../desk.js";
import { useOnBody } from "../parts/body.js";
import { Icon } from "../parts/Icon.js";
import { FilterButton } from "../people/FilterButton.js";
import { showAll } from "../people/filter.js";
import { Search } from "../people/Search.js";
import { hrefOf, navigate, route } from "../route.js";
import { announce } from "../say.js";
import { isNarrow } from "../top/panels.js";
import { Standing } from "../top/Standing.js";
import { say } from "../words/words.js";
import { Bar } from "./Bar.js";
import { Events } from "./Events.js";
import { toNow, useReplayKeys } from "./keys.js";
import { useMarks } from "./marks.js";
import { follow, moment } from "./moment.js";
import { PastCard } from "./PastCard.js";
import { player, type Player } from "./player.js";
import { marked, useTell } from "./telling.js";
import { Tried } from "./Tried.js";

export function Replay({ user }: { readonly user: string }) {
  const { board } = useDesk();
  const [now, set] = useState<Player>();
  useEffect(() => {
    const made = player(board, user);
    set(made);
    return () => made.close();
  }, [board, user]);
  return now ? <Playing player={now} /> : null;
}

function Playing({ player }: { readonly player: Player }) {
  const desk = useDesk();
  const head = useHead(desk, player);
  const root = useRef<HTMLDivElement>(null);
  const { status } = useBoard();
  const [began, begin] = useState(false); // before that it is not known which rev is the newest
  useEffect(() => {
    if (status === "live") begin(true);
  }, [status]);
  const listed = useSignal(!isNarrow.value);
  const past = useMemo((): Desk => ({ ...desk, store: player.past.store, slow: { of: () => never.value } }), [desk, player]);
  useAddress(player, began ? head : undefined);
  useReplayKeys(player, head);
  useSaying(player, head);
  useMarks(root, player);
  useOnBody("past", true);
  useEffect(() => showAll, []); // what was looked for is not looked for now
  const at = route.value;
  return (
    <div
      ref={root} class="page past" data-rev={player.spot.value.rev} data-tried={player.spot.value.tried} data-state={player.state.value}
      onDragOver={nothing} onDrop={nothing}
    >
      <DeskContext.Provider value={past}>
        <BoardProvider store={past.store}>
          <Head player={player} head={head} live={desk} />
          <Board player={player} />
          {at.page === "board" && at.card && <PastCard key={at.card} id={at.card} mark={markOf(player, head)} />}
        </BoardProvider>
      </DeskContext.Provider>
      {listed.value && <Events player={player} close={() => void (listed.value = false)} />}
      <Bar player={player} head={head} listed={listed} />
      <Tried player={player} />
    </div>
  );
}

const never = { value: { value: false } as ReturnType<Desk["slow"]["of"]> };

/** A file that is dropped is not taken, and does not take the place of the page. */
function nothing(e: DragEvent): void {
  if (e.dataTransfer) e.dataTransfer.dropEffect = "none";
  e.preventDefault();
}

/** What the moment is called. */
function markOf({ spot, stretch, index }: Player, head: number): string {
  return marked(spot.value, head, stretch.value.decisions[index.value]?.at);
}

/** The newest rev there is. */
function useHead({ store }: Desk, player: Player): number {
  const [head, set] = useState(store.rev);
  useEffect(() => {
    const look = () => {
      set(store.rev);
      player.grown(store.rev);
    };
    look();
    return store.subscribe(look);
  }, [store, player]);
  return Math.max(head, player.spot.value.rev);
}

/** Goes where the address says, and has it say where one went; not before it is known how far that can be. */
function useAddress(player: Player, head: number | undefined): void {
  const asked = moment.value;
  const begins = head !== undefined;
  useEffect(() => {
    if (!asked || head === undefined) return;
    const rev = Math.max(1, Math.min(asked.at, head));
    void player.go({ rev, ...(asked.tried && { tried: asked.tried }) });
  }, [asked, player, begins]);
  const { rev, tried } = player.spot.value;
  const isThere = player.state.value === "ready";
  useEffect(() => {
    if (!isThere) return undefined;
    const timer = setTimeout(() => follow({ at: rev, ...(tried && { tried }) }), 250); // browsers mind an address that changes all the time
    return () => clearTimeout(timer);
  }, [rev, tried, isThere]);
}

/** Reads out where one is, once it is quiet there; who moves the slider hears it from that. */
function useSaying(player: Player, head: number): void {
  const tell = useTell(player, "then");
  const { spot, stretch, index, state, playing, speed } = player;
  const first = useRef(true);
  const d = stretch.value.decisions[index.value];
  const mark = markOf(player, head);
  useEffect(() => {
    if (state.value !== "ready" || (playing.value && speed.value > 1)) return;
    if (first.current) {
      first.current = false;
      announce(say("time.entered", { mark }));
    } else if (d && !document.activeElement?.matches("input[type=range]")) announce(tell(d).map(({ text }) => text).join(" "));
  }, [spot.value, state.value]);
}

function Head({ player, head, live }: { readonly player: Player; readonly head: number; readonly live: Desk }) {
  const { board } = useBoard();
  const title = nameOf(board) ?? live.board;
  const mark = markOf(player, head);
  return (
    <header class="top past-top">
      <div class="top-row">
        <div class="board-title"><h1><bdi title={title}>{title}</bdi></h1></div>
        <p class="past-mark"><Icon name="history" /><span>{mark}</span> <strong>{say("time.readOnly")}</strong></p>
        <DeskContext.Provider value={live}><BoardProvider store={live.store}><Standing /></BoardProvider></DeskContext.Provider>
        <span class="top-fill" />
        <search class="top-search"><Search /><FilterButton /></search>
        <button type="button" class="primary past-leave" onClick={toNow}>{say("time.leave")}</button>
      </div>
    </header>
  );
}

function Board({ player }: { readonly player: Player }) {
  const { board } = useBoard();
  const desk = useDesk();
  // A card is opened as it was, under an address of its own.
  const opened = (e: MouseEvent) => {
    const link = e.target instanceof Element ? e.target.closest<HTMLElement>(".card-title") : null;
    const id = link?.closest<HTMLElement>(".card")?.dataset["id"];
    if (!id || e.button || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
    e.preventDefault();
    e.stopPropagation();
    navigate(hrefOf(desk.board, id) + location.hash);
  };
  return (
    <div class="past-board" role="presentation" onClickCapture={opened}>
      {board ? <Columns /> : player.state.value === "loading" && <p class="waiting" role="status">{say("top.opening")}</p>}
    </div>
  );
}
