const browser = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
  setTimeout: (fn, ms) => setTimeout(fn, ms),
  clearTimeout: (timer) => clearTimeout(timer),
  random: () => Math.random(),
  socket: (url, protocols) => new WebSocket(url, protocols),
  afterPaint: (fn) => fn(),
  onWake(fn) {
    if (typeof document === "undefined") return () => {
    };
    const end = new AbortController(), { signal } = end;
    for (const type of ["visibilitychange", "pageshow", "online"]) window.addEventListener(type, fn, { signal });
    return () => end.abort();
  }
};
export {
  browser
};
