// The files of the board.

import { say } from "../words/words.js";
import { FileList } from "./FileList.js";

export function FilesPanel() {
  return <FileList card="" hint={say("files.hintBoard")} />;
}
