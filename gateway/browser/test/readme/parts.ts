import { connect, offline, presence, undoStack } from "@snapback/client";

const board = connect({ url: "http://localhost:8080", board: "demo", user: "ann", offline: offline() });

const here = presence<{ card?: string }>(board);
here.subscribe((others) => console.log(others.map((peer) => [peer.name ?? peer.user, peer.data.card])));
here.set({ card: "status-page" });

const history = undoStack(board);
await board.ready;
board.mutate("status-page", { title: "Is it up?" });
console.log(await history.undo()); // { ok: true, rev: 47, kept: [] }
