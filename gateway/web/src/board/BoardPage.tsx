// One open board: the desk, and everything that stands on it.

import { effect } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";

import { BoardProvider, useBoard, usePresence } from "@snapback/client/react";

import { CardDialog } from "../card/CardDialog.js";
import { DeskContext, nameOf, openDesk, useDesk, type Desk } from "../desk.js";
import { DropFiles } from "../files/DropFiles.js";
import { Closed } from "../people/Closed.js";
import { remember, route } from "../route.js";
import { who } from "../session.js";
import { isPast } from "../time/moment.js";
import { Replay } from "../time/Replay.js";
import { TopBar } from "../top/TopBar.js";
import { here, renaming, type Here } from "../ui.js";
import { say } from "../words/words.js";
import { Columns } from "./Columns.js";
import { Drawer } from "./Drawer.js";
import { MoveDialog } from "./MoveDialog.js";

export function BoardPage({ board }: { readonly board: string }) {
  const [desk, setDesk] = useState<Desk>();
  useEffect(() => {
    const opened = openDesk(board, who.value);
    setDesk(opened);
    return () => opened.close();
  }, []);
  return desk && (
    <DeskContext.Provider value={desk}>
      <BoardProvider store={desk.store}><OnDesk /></BoardProvider>
    </DeskContext.Provider>
  );
}

function OnDesk() {
  const desk = useDesk();
  const { status, me, board } = useBoard();
  const at = route.value;
  useEffect(() => {
    document.title = `${nameOf(board) ?? desk.board} · Snapback`;
    if (board) remember(desk.board);
  }, [board]);
  useEffect(() => {
    document.body.dataset["status"] = status;
    document.body.dataset["role"] = me?.role ?? "";
  }, [status, me]);
  useEffect(() => () => void (renaming.value = undefined), []); // what was begun is a draft, and on this board
  useEffect(() => effect(() => void (isPast.value && (renaming.value = undefined))), []); // nothing is edited there
  if (isPast.value && me && status !== "closed") return <><Replay user={me.user} /><TellHere /></>;
  return (
    <div class="page">
      <TopBar />
      {status === "closed" ? <Closed /> : board ? <Columns /> : <p class="waiting" role="status">{say("top.opening")}</p>}
      <Drawer />
      {board && at.page === "board" && at.card && <CardDialog key={at.card} id={at.card} />}
      <MoveDialog />
      <DropFiles />
      <TellHere />
    </div>
  );
}

/** Tells the others what this window is at. */
function TellHere() {
  const { set } = usePresence<Here>();
  const now = here.value;
  useEffect(() => set({ ...now }), [now]);
  return null;
}
