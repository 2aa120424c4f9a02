// What the browser keeps of the page itself. Where it keeps nothing (cookies are blocked: even to ask throws) or has no
// room left, what is set lasts as long as the page.

export interface Shelf {
  get(key: string): string | null;
  set(key: string, value: string): void;
  remove(key: string): void;
  keys(): readonly string[];
}

function shelf(open: () => Storage): Shelf {
  const unkept = new Map<string, string>();
  const tried = <T>(fn: (storage: Storage) => T, otherwise: T): T => {
    try {
      return fn(open());
    } catch {
      return otherwise;
    }
  };
  return {
    get: (key) => unkept.get(key) ?? tried((s) => s.getItem(key), null),
    set(key, value) {
      unkept.delete(key);
      if (!tried((s) => (s.setItem(key, value), true), false)) unkept.set(key, value);
    },
    remove(key) {
      unkept.delete(key);
      tried((s) => s.removeItem(key), undefined);
    },
    keys: () => [...new Set([...unkept.keys(), ...tried((s) => Object.keys(s), [])])],
  };
}

/** Of all windows, also tomorrow. */
export const shared = shelf(() => localStorage);
/** Of this window, over its reloads. */
export const own = shelf(() => sessionStorage);
