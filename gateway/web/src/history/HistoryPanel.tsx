// What happened on the board, in words.

import { History } from "./History.js";

export function HistoryPanel() {
  return <History entity="" />;
}
