// What the client takes from its surroundings; a test gives its own.

/** The part of WebSocket the client uses. */
export interface Socket {
  onopen: ((e: unknown) => void) | null;
  onmessage: ((e: { data: unknown }) => void) | null;
  onclose: ((e: { code: number; reason: string }) => void) | null;
  send(frame: string): void;
  close(code?: number, reason?: string): void;
}

/** Clock, timers, chance, sockets and the page's signs of life. */
export interface Env {
  /** Milliseconds of a clock that never jumps, of any origin. It may stand still while the machine sleeps. */
  monotonic(): number;
  /** Milliseconds since 1970. */
  wall(): number;
  setTimeout(fn: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  /** [0, 1) */
  random(): number;
  socket(url: string, protocols: string[]): Socket;
  /** Calls fn when the page may have slept or the network has changed: visibilitychange, pageshow, online. */
  onWake(fn: () => void): () => void;
  /**
   * Does fn, in the order asked, when what is shown by now is painted, at the latest before the page is hidden or left:
   * then what was made is kept and sent. The default does it at once.
   */
  afterPaint(fn: () => void): void;
}

/** The browser's, or a server's with a global WebSocket. */
export const browser: Env = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
  setTimeout: (fn, ms) => setTimeout(fn, ms),
  clearTimeout: (timer) => clearTimeout(timer as number),
  random: () => Math.random(),
  socket: (url, protocols) => new WebSocket(url, protocols) as Socket,
  afterPaint: (fn) => fn(),
  onWake(fn) {
    if (typeof document === "undefined") return () => {};
    const end = new AbortController(), { signal } = end;
    for (const type of ["visibilitychange", "pageshow", "online"]) window.addEventListener(type, fn, { signal });
    return () => end.abort();
  },
};
