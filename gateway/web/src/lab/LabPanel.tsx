// The rollback lab: what the server is to do, the play of three edits, and the timeline of every mutation.

import { useEffect, useState } from "preact/hooks";

import { useBoard } from "@snapback/client/react";

import { useDesk } from "../desk.js";
import { say } from "../words/words.js";
import { Dials } from "./Dials.js";
import { Play } from "./Play.js";
import { ask } from "./setting.js";
import { TimelineView } from "./TimelineView.js";

export function LabPanel() {
  const desk = useDesk();
  const { me } = useBoard();
  const [there, setThere] = useState<boolean>();
  useEffect(() => {
    let stale = false;
    void ask(desk).then((yes) => stale || setThere((was) => was || yes));
    return () => void (stale = true);
  }, [me?.session]);
  if (there === undefined) return null;
  if (!there) return <p>{say("lab.none")}</p>;
  return (
    <div class="lab">
      <p class="lab-what">{say("lab.what")}</p>
      <Play />
      <TimelineView />
      <Dials />
    </div>
  );
}
