// The rollback lab: what the server is to do, the play of three edits, and the timeline of every mutation.

import { say } from "../words/words.js";
import { Dials } from "./Dials.js";
import { Play } from "./Play.js";
import { hasLab } from "./setting.js";
import { TimelineView } from "./TimelineView.js";

export function LabPanel() {
  if (!hasLab.value) return <p>{say("lab.none")}</p>;
  return (
    <div class="lab">
      <p class="lab-what">{say("lab.what")}</p>
      <Play />
      <TimelineView />
      <Dials />
    </div>
  );
}
