import { connect } from "@snapback/client";

const board = connect({ url: "http://localhost:8080", board: "demo", user: "ann" });
board.onRollback((mutation, why) => console.log("taken back:", mutation.changes, why.code, why.details));
board.subscribe(() => {
  for (const column of board.list("column")) console.log(column.title, board.children(column.id, "card").length);
});
await board.ready;

const card = board.create("card", { columnId: "next", title: "Write it down" }); // shown at once
const move = board.mutate(card.entityId, { columnId: "doing" }); // so is this, before the first is decided
console.log(await card); // { ok: true, rev: 45, events: 1 }
console.log(await move); // { ok: false, code: "wip_limit", details: { columnId: "doing", count: 3, limit: 3 }, reason: "…" }
