import { connect } from "@snapback/client";

const board = connect({ url: "http://localhost:8080", board: "demo", user: "ann" });
const toast = (words: string) => console.log(words); // yours

board.onRollback((_, { code, details }) => { // the view has taken it back already
  if (code === "wip_limit") toast(`Full: ${details["count"]} of ${details["limit"]}`);
  else if (code === "name_taken") toast("That name is taken here");
  else toast(`Taken back: ${code}`);
});
await board.ready;
board.mutate("status-page", { columnId: "doing" }); // the card moves at once, is refused, and snaps back
