// How the connection stands and how much has no verdict yet; always in sight. Pressed, it tells what waits, one by one.

import { useEffect, useId, useRef, useState } from "preact/hooks";

import type { StaleMutation, Status } from "@snapback/client";
import { useBoard } from "@snapback/client/react";

import { useDesk } from "../desk.js";
import { beside } from "../parts/beside.js";
import { announce, interrupt, note } from "../say.js";
import { Queue } from "../text/Queue.js";
import { say } from "../words/words.js";

export function Standing() {
  const { store } = useDesk();
  const { status } = useBoard();
  const waiting = useWaiting();
  const stale = useStale();
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);
  useEffect(() => {
    document.body.dataset["waiting"] = String(waiting);
  }, [waiting]);
  useAnnounced(status);
  useLoss();
  useEffect(() => {
    const seen = () => setOpen(!!panel.current?.matches(":popover-open"));
    panel.current?.addEventListener("toggle", seen);
    return () => panel.current?.removeEventListener("toggle", seen);
  }, []);
  useEffect(() => {
    if (open && panel.current && button.current) beside(panel.current, button.current);
  }, [open]);
  useOld(stale, () => panel.current?.showPopover());
  return (
    <>
      <button
        ref={button} type="button" id="state" class="standing" data-status={status} data-old={stale.length || undefined} title={store.me?.user}
        aria-expanded={open} popovertarget={id} aria-describedby={waiting ? `${id}-count` : undefined}
      >
        <span>{say(`status.${status}`)}</span>
        {waiting > 0 && <span id={`${id}-count`} class="waiting-count">{say("status.waiting", { count: waiting })}</span>}
        {stale.length > 0 && <span class="waiting-count">{say("queue.old", { count: stale.length })}</span>}
      </button>
      <div ref={panel} id={id} class="queue" popover="auto" role="dialog" aria-label={say("queue.label")}>
        {open && <Queue stale={stale} />}
      </div>
    </>
  );
}

/** A connection lost is said at once, one that is back when there is time. */
function useAnnounced(status: Status): void {
  const lost = useRef(false);
  useEffect(() => {
    if (status === "offline" && !lost.current) interrupt(say("queue.lost"));
    if (status === "live" && lost.current) announce(say("queue.back"));
    lost.current = status === "offline" || (lost.current && status !== "live");
  }, [status]);
}

/** Where nothing is kept over a reload, that is said once; and one is asked before the page is left with what waits. */
function useLoss(): void {
  const { store, offline } = useDesk();
  useEffect(() => {
    let said = false;
    const look = () => {
      if (said || offline.error === undefined || store.status === "closed") return;
      said = true;
      note({ tone: "plain", title: say("queue.unkept"), text: say("queue.unkept.why") });
    };
    const end = offline.subscribe(look);
    look();
    const ask = (e: BeforeUnloadEvent) => {
      if (offline.error !== undefined && store.engine.entries.size) e.preventDefault();
    };
    addEventListener("beforeunload", ask);
    return () => {
      end();
      removeEventListener("beforeunload", ask);
    };
  }, [store, offline]);
}

function useStale(): readonly StaleMutation[] {
  const { offline } = useDesk();
  const [stale, setStale] = useState(offline.stale);
  useEffect(() => {
    const look = () => setStale(offline.stale);
    look();
    return offline.subscribe(look);
  }, [offline]);
  return stale;
}

/** Says that there are changes too old to be sent unasked. */
function useOld(stale: readonly StaleMutation[], look: () => void): void {
  const told = useRef(false);
  useEffect(() => {
    if (told.current || !stale.length) return;
    told.current = true;
    note({ tone: "plain", title: say("queue.old.note", { count: stale.length }), actions: [{ label: say("queue.look"), run: look }] });
  }, [stale]);
}

/** How many mutations have no verdict; follows slowly, so that what is quick is not seen. */
function useWaiting(): number {
  const { store } = useDesk();
  const [count, setCount] = useState(0);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        setCount(store.engine.entries.size);
      }, store.engine.entries.size ? 300 : 0);
    };
    const own = { made: look, concluded: look };
    store.engine.hooks.add(own);
    look();
    return () => {
      clearTimeout(timer);
      store.engine.hooks.delete(own);
    };
  }, [store]);
  return count;
}
