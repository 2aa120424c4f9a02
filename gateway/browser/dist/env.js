const browser = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
  setTimeout: (fn, ms) => setTimeout(fn, ms),
  clearTimeout: (timer) => clearTimeout(timer),
  random: () => Math.random(),
  socket: (url, protocols) => new WebSocket(url, protocols),
  onWake(fn) {
    if (typeof document === "undefined") return () => {
    };
    const wakes = [
      [document, "visibilitychange"],
      [document, "resume"],
      [window, "pageshow"],
      [window, "online"]
    ];
    for (const [target, type] of wakes) target.addEventListener(type, fn);
    return () => wakes.forEach(([target, type]) => target.removeEventListener(type, fn));
  },
  origin: () => typeof location === "undefined" ? void 0 : location.origin
};
export {
  browser
};
