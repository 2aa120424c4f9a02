// The timeline: one row for each mutation, its bar from the making to the verdict, all on one axis of time.

import { useEffect, useState } from "preact/hooks";

import { useDesk } from "../desk.js";
import { duration } from "../words/dates.js";
import { say } from "../words/words.js";
import { timelineOf } from "./lab.js";
import { bar, stretch, type Run } from "./timeline.js";

/** How many rows are shown, and how often bars grow: milliseconds between two drawings. */
const rows = 14;
const beat = 100;

export function TimelineView() {
  const desk = useDesk();
  const { runs, clear } = timelineOf(desk);
  const shown = runs.value.slice(0, rows);
  const now = useNow(shown.some((run) => run.code === undefined));
  const time = stretch(shown, now);
  return (
    <section class="timeline" aria-label={say("lab.timeline")}>
      <header>
        <h3>{say("lab.timeline")}</h3>
        {shown.length > 0 && <button type="button" class="tool" onClick={clear}>{say("lab.clear")}</button>}
      </header>
      {shown.length === 0 && <p>{say("lab.timeline.none")}</p>}
      <ol>{shown.map((run) => <Row key={run.id} run={run} time={time} now={now} />)}</ol>
    </section>
  );
}

function Row({ run, time, now }: { readonly run: Run; readonly time: { readonly from: number; readonly to: number }; readonly now: number }) {
  const { start, length } = bar(run, time);
  const tone = run.code === undefined ? "pending" : run.code === "" ? "acked" : "refused";
  return (
    <li class="run" data-tone={tone}>
      <span class="run-what" dir="auto">{run.what}</span>
      <span class="run-state" data-number>{state(run, now)}</span>
      <span class="run-bar" aria-hidden="true"><i style={{ insetInlineStart: `${start * 100}%`, width: `max(4px, ${length * 100}%)` }} /></span>
    </li>
  );
}

function state({ madeAt, endedAt, code, rev }: Run, now: number): string {
  const time = duration((endedAt ?? now) - madeAt);
  if (code === undefined) return say("lab.pending", { time });
  return code === "" ? say("lab.acked", { time, rev: rev ?? 0 }) : say("lab.refused", { code, time });
}

/** The page's clock, which goes while something is pending. */
function useNow(going: boolean): number {
  const [now, set] = useState(() => performance.now());
  useEffect(() => {
    if (!going) return undefined;
    const timer = setInterval(() => set(performance.now()), beat);
    return () => clearInterval(timer);
  }, [going]);
  return Math.max(now, going ? performance.now() : 0);
}
