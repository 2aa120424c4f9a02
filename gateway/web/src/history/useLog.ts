// The log as a component sees it.

import { useEffect, useState } from "preact/hooks";

import type { Desk } from "../desk.js";
import type { Problem } from "../session.js";
import { follow, steps } from "./follow.js";
import type { Decision } from "./log.js";

export interface Log {
  /** Oldest first; kept while more of the past is asked for. */
  readonly decisions: readonly Decision[];
  readonly state: "loading" | "live" | "failed";
  readonly failure: Problem | undefined;
  /** Is there something older? */
  readonly hasOlder: boolean;
  older(): void;
  again(): void;
}

interface State extends Pick<Log, "decisions" | "state" | "failure"> {
  readonly step: number;
}

/** Follows the log of an entity, "" for the board; not while the window is hidden, as browsers have few connections. */
export function useLog({ board, store }: Desk, entity: string): Log {
  const [now, set] = useState<State>({ decisions: [], state: "loading", failure: undefined, step: 0 });
  const [turn, again] = useState(0);
  const { step } = now;
  useEffect(() => {
    let end: (() => void) | undefined;
    const begin = () => {
      end?.();
      let come: readonly Decision[] = [];
      let live = false;
      const show = (state: Log["state"], failure?: Problem) =>
        set((was) => ({ ...was, state, failure, decisions: live || come.length >= was.decisions.length ? come : was.decisions }));
      end = follow(board, entity, steps[step] ?? 0, {
        read: (decisions) => {
          come = [...come, ...decisions];
          if (live) show("live");
        },
        caughtUp: () => {
          live = true;
          show("live");
        },
        ended: (why) => show("failed", why),
      });
    };
    const look = () => {
      if (!document.hidden) return begin();
      end?.();
      end = undefined;
    };
    set((was) => ({ ...was, state: "loading", failure: undefined }));
    look();
    document.addEventListener("visibilitychange", look);
    const deaf = store.onStatus((status) => status === "live" && look());
    return () => {
      deaf();
      document.removeEventListener("visibilitychange", look);
      end?.();
    };
  }, [board, entity, step, turn, store]);
  const most = steps[step] ?? 0;
  return {
    ...now,
    hasOlder: most > 0 && now.decisions.length >= most,
    older: () => set((was) => ({ ...was, step: was.step + 1, state: "loading" })),
    again: () => again(turn + 1),
  };
}
