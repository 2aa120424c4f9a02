// When the page is drawn anew. What the user does is drawn at once. What the server sends is drawn after the next frame, for
// the one that follows, and however much came meanwhile is drawn together.

import { options } from "preact";

import type { Options } from "@snapback/client";

type Socket = ReturnType<NonNullable<NonNullable<Options["env"]>["socket"]>>;

/** A page that is not painted has no frames: then after so many milliseconds. */
const patience = 100;

/** Preact's own way: when the task that is under way has ended. What waits is drawn with it, for there is one queue. */
const atOnce = (drawing: () => void): void => queueMicrotask(() => {
  drawing();
  if (draw || behind.size > 0) drawNow();
});
options.debounceRendering = atOnce;

let draw: (() => void) | undefined;
let frame = 0;
let timer: ReturnType<typeof setTimeout> | undefined;

/** What is to be done when that is drawn, in the same task. */
const behind = new Set<() => void>();

function betweenFrames(drawing: () => void): void {
  draw = drawing;
  plan();
}

function plan(): void {
  cancelAnimationFrame(frame);
  frame = requestAnimationFrame(() => {
    clearTimeout(timer);
    timer = setTimeout(drawNow); // a task of its own: with the layout and the painting it might take too long for a key to wait
  });
  timer ??= setTimeout(drawNow, patience);
}

/** Draws what waits for that, and does what is to be done behind it. */
function drawNow(): void {
  cancelAnimationFrame(frame);
  clearTimeout(timer);
  timer = undefined;
  const drawing = draw;
  draw = undefined;
  drawing?.();
  for (const fn of behind) {
    behind.delete(fn);
    fn();
  }
}

/** Does it, once, when what is asked for now is drawn and not painted yet; what the user does is before the next frame. */
export function whenDrawn(fn: () => void): void {
  behind.add(fn);
  if (options.debounceRendering === betweenFrames) plan();
  else requestAnimationFrame(drawNow);
}

/** What is done in there is drawn between two frames. */
function later(fn: () => void): void {
  options.debounceRendering = betweenFrames;
  try {
    fn();
  } finally {
    options.debounceRendering = atOnce;
  }
}

/** What is to be done after the painting, in order. */
const waiting: (() => void)[] = [];

/** Does now what waits for the painting. */
export function doNow(): void {
  try {
    for (let next; (next = waiting.shift()); ) next();
  } finally {
    if (waiting[0]) setTimeout(doNow); // what has thrown keeps nothing else from being done
  }
}

/**
 * What nobody sees, when the page has been painted with what is under way now; at the latest when a page would have been,
 * and before it is hidden or left.
 */
export function afterPaint(fn: () => void): void {
  waiting.push(fn);
  if (globalThis.document?.hidden) return doNow();
  if (waiting.length > 1) return;
  const late = setTimeout(doNow, patience);
  requestAnimationFrame(() => {
    clearTimeout(late);
    setTimeout(doNow);
  });
}

globalThis.document?.addEventListener("visibilitychange", doNow); // before the store hears of it
globalThis.addEventListener?.("pagehide", doNow);

/** The browser's socket; what comes by it is drawn between two frames. */
export function socket(url: string, protocols: string[]): Socket {
  const real = new WebSocket(url, protocols) as Socket;
  const own: Socket = {
    onopen: null, onmessage: null, onclose: null,
    send: (frame) => real.send(frame),
    close: (code, reason) => real.close(code, reason),
  };
  real.onopen = (e) => own.onopen?.(e);
  real.onmessage = (e) => later(() => own.onmessage?.(e));
  real.onclose = (e) => own.onclose?.(e);
  return own;
}
