// The tabs that have a board open, and which of them sends what one that is gone has left.
//
// A tab holds a Web Lock for life; every other tab that knows of it stands in line for that lock. Whoever gets it takes
// over. A page that holds a lock is never kept in the back/forward cache, so none comes back after it was taken over.
// Without Web Locks (a page that is not secure) nobody knows who lives: the next page to load takes over everything.

/** What offline takes from the browser; a test gives its own. */
export interface Surroundings {
  readonly indexedDB: IDBFactory;
  readonly locks: LockManager | undefined;
  readonly BroadcastChannel: typeof BroadcastChannel | undefined;
}

export interface Tabs {
  /** Holds this tab's lock until the end, and hears of other tabs from then on. Anything kept in its name comes later. */
  hold(): Promise<void>;
  /** Tells the others that something is kept in this tab's name. */
  announce(): void;
  /** Takes over when that tab is gone; resolves when that is done. */
  watch(tab: string): Promise<void>;
}

export function tabs(
  name: string, me: string, { locks, BroadcastChannel: Channel }: Surroundings, end: AbortSignal,
  takeOver: (tab: string) => Promise<void>,
): Tabs {
  const watched = new Set([me]);
  let channel: BroadcastChannel | undefined;

  const self: Tabs = {
    async hold() {
      if (!locks) return;
      await new Promise<void>((granted, failed) => {
        const held = () => {
          granted();
          return new Promise((free) => end.addEventListener("abort", free));
        };
        locks.request(name + me, { signal: end }, held).catch(failed);
      });
      if (!Channel) return;
      channel = new Channel(name);
      channel.onmessage = ({ data }) => void self.watch(data as string);
      end.addEventListener("abort", () => {
        channel!.close();
        channel = undefined;
      });
    },
    announce() {
      channel?.postMessage(me);
    },
    async watch(tab) {
      if (watched.has(tab)) return;
      watched.add(tab);
      await (locks ? locks.request(name + tab, { signal: end }, () => takeOver(tab)).catch(() => {}) : takeOver(tab));
    },
  };
  return self;
}
