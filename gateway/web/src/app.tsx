// The board application. From here on down:
//
//   App ─ route ─┬─ Boards            the list of boards
//                └─ BoardPage         a desk: one open board
//                     ├─ TopBar       who is here, how the connection stands, search
//                     ├─ Columns      the board itself
//                     ├─ CardDialog   one card
//                     └─ Drawer       archive, files, lab, inspector
//   Notes, Voice                      what is said beside the page

import "./style/base.css";
import "./style/parts.css";
import "./style/board.css";
import "./style/lab.css";
import "./style/people.css";
import "./style/files.css";
import "./style/card.css";
import "./style/text.css";
import "./style/time.css";

import { render } from "preact";

import { BoardPage } from "./board/BoardPage.js";
import { Boards } from "./people/Boards.js";
import { route } from "./route.js";
import { who } from "./session.js";
import { Notes, Voice } from "./top/Notes.js";
import { direction, language } from "./words/words.js";
import "./people/handover.js";
import "./text/astray.js";
import "./top/theme.js";

function App() {
  const at = route.value;
  const { seat } = who.value;
  return (
    <>
      {at.page === "boards" ? <Boards /> : <BoardPage key={JSON.stringify([at.board, seat])} board={at.board} />}
      <Notes />
      <Voice />
    </>
  );
}

document.documentElement.lang = language;
document.documentElement.dir = direction;
render(<App />, document.getElementById("app")!);
